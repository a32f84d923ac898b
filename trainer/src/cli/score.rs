//! `flowlet score`.

use std::path::PathBuf;

use anyhow::Context as _;
use flowlet::Threshold;
use flowlet_trainer::inference::log_probs;
use flowlet_trainer::model_file::ModelFile;
use flowlet_trainer::output::write_whole;

use super::check_apart;
use super::report::{Report, grouped, number};
use super::tables::{self, Reading};

/// Gives the log-probability of each row of a table
///
/// In nats, in the units of the data: the lower, the stranger the row. Where the model is calibrated (see
/// `calibrate`), a row below its threshold is strange: 1, else 0. Columns are found by the names
/// that the model was trained with; where there are no names, the columns are the model's dimensions
/// and then its context.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowlet score imu.flow new.csv -o scores.csv
  zcat new.csv.gz | flowlet score imu.flow - --drop-missing")]
pub(super) struct Arguments {
    /// The model file, a RealNVP
    model: PathBuf,
    /// The table: a CSV or NPY file, or - for standard input
    data: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// Where to write the table's columns, `strange` if the model is calibrated, and `log_prob` as CSV
    #[arg(short, long, value_name = "FILE.csv")]
    output: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let read = [&arguments.model, &arguments.data].map(|path| Some(path.as_path()));
    check_apart(&read, &[arguments.output.as_deref()])?;
    let file = ModelFile::read(&arguments.model)?;
    let model = file.model()?;
    let cannot = || format!("cannot score with {}", arguments.model.display());
    model.real_nvp().with_context(cannot)?;
    let table = arguments.reading.open(&arguments.data)?;
    let labels: Vec<&str> = model.labels().collect();
    let selected = table.select_matching(&[], &labels, model.dim(), model.context_dim())?;
    let dropped = selected.dropped.clone();
    let data = tables::data(selected, &arguments.data);
    let threshold = model.threshold();
    let log_probs = log_probs(&model, &data.points, &data.context)?;
    if let Some(path) = &arguments.output {
        write_whole(path, |file| match &threshold {
            None => table.write_with(
                file,
                &["log_prob"],
                &|row| vec![format!("{:?}", log_probs[row])],
                &dropped,
            ),
            Some(threshold) => table.write_with(
                file,
                &["strange", "log_prob"],
                &|row| {
                    let log_prob = log_probs[row];
                    let strange = u8::from(threshold.is_strange(log_prob));
                    vec![strange.to_string(), format!("{log_prob:?}")]
                },
                &dropped,
            ),
        })?;
    }
    let mut report = summary(&log_probs);
    if let Some(threshold) = threshold {
        add_strange(&mut report, &threshold, &log_probs);
    }
    Ok(report.print(arguments.json)?)
}

/// How many rows are below the threshold.
fn add_strange(report: &mut Report, threshold: &Threshold, log_probs: &[f32]) {
    let below = log_probs.iter().filter(|p| threshold.is_strange(**p));
    let (strange, rows) = (below.count(), log_probs.len());
    let text = format!(
        "{} of {} ({:.2} %), below {:.4}",
        grouped(strange),
        grouped(rows),
        100.0 * strange as f64 / rows as f64,
        threshold.log_prob
    );
    report.fact("strange", strange, "strange", text);
}

/// The distribution of the scores.
fn summary(log_probs: &[f32]) -> Report {
    let mut sorted = log_probs.to_vec();
    sorted.sort_by(f32::total_cmp);
    let quantile = |q: f64| sorted[((sorted.len() - 1) as f64 * q).round() as usize];
    let mean = log_probs.iter().map(|p| f64::from(*p)).sum::<f64>() / log_probs.len() as f64;

    let mut report = Report::default();
    report.fact("rows", log_probs.len(), "rows", grouped(log_probs.len()));
    report.fact(
        "mean",
        number(mean),
        "mean log_prob",
        format!("{mean:.4} nats"),
    );
    let quantiles = [
        ("min", "lowest", 0.0),
        ("q01", "1 % quantile", 0.01),
        ("q05", "5 % quantile", 0.05),
        ("median", "median", 0.5),
        ("max", "highest", 1.0),
    ];
    for (key, label, q) in quantiles {
        let text = format!("{:.4}", quantile(q));
        report.fact(key, number(quantile(q).into()), label, text);
    }
    let not_finite = log_probs.iter().filter(|p| !p.is_finite()).count();
    report.value("not_finite", not_finite);
    if not_finite > 0 {
        let text = format!(
            "{}, farther out than 32-bit numbers reach",
            grouped(not_finite)
        );
        report.fact("not_finite", not_finite, "not finite", text);
    }
    report
}
