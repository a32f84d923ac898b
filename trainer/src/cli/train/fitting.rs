//! Training as people see it: under way, stopped, and told at the end.

use std::sync::atomic::AtomicBool;

use flowlet_trainer::data::Dataset;
use flowlet_trainer::fit::{Controls, End, FitOptions, Fitted, fit_controlled};
use flowlet_trainer::flow::FlowKind;

use super::super::report::{Report, grouped};
use super::Arguments;
use super::progress::ProgressReport;

/// Fits a flow, as the options on files say, until `stop`.
pub(super) fn fit_with_progress(
    dataset: &Dataset,
    options: &FitOptions,
    arguments: &Arguments,
    stop: &AtomicBool,
) -> anyhow::Result<Fitted> {
    let mut progress = ProgressReport::new(options.steps);
    let controls = Controls {
        report: &mut |now| progress.show(now),
        stop,
        checkpoint: arguments.checkpoint.as_deref(),
        resume: arguments.resume.as_deref(),
    };
    let fitted = fit_controlled(dataset, options, controls);
    progress.finish();
    let fitted = fitted?;
    if let Some(problem) = &fitted.checkpoint_problem {
        eprintln!("warning: {problem}; training went on without that checkpoint");
    }
    if fitted.end == End::Stopped {
        eprintln!(
            "stopped at step {} of {}: the weights of step {} are kept, the best so far",
            grouped(fitted.steps),
            grouped(options.steps),
            grouped(fitted.best_step)
        );
    }
    Ok(fitted)
}

/// Adds how training went.
pub(super) fn add_training(report: &mut Report, fitted: &Fitted, seconds: f64) {
    let unit = match fitted.flow.kind {
        FlowKind::RealNvp { .. } => "nats",
        FlowKind::FlowMatching { .. } => "mean square",
    };
    let (training, validation) = (fitted.training.len(), fitted.validation.len());
    let text = format!(
        "{} trained on, {} kept out for validation",
        grouped(training),
        grouped(validation)
    );
    report.fact("training_rows", training, "rows", text);
    report.value("validation_rows", validation);
    report.value("training_loss", fitted.training_loss);
    report.fact(
        "validation_loss",
        fitted.validation_loss,
        "validation loss",
        format!(
            "{:.4} {unit} at step {}, the best",
            fitted.validation_loss,
            grouped(fitted.best_step)
        ),
    );
    report.value("best_step", fitted.best_step);
    report.value("steps", fitted.steps);
    let (end, why) = match fitted.end {
        End::Steps => ("steps", None),
        End::Patience => ("patience", Some("nothing better was found for long enough")),
        End::Stopped => ("stopped", Some("by a signal, such as Ctrl-C")),
    };
    match why {
        Some(why) => {
            let text = format!("at step {}, {why}", grouped(fitted.steps));
            report.fact("end", end, "ended early", text);
        }
        None => report.value("end", end),
    }
    report.fact(
        "seconds",
        seconds,
        "training time",
        format!("{seconds:.1} s"),
    );
}
