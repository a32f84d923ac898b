//! `flowlet calibrate`.

use std::path::PathBuf;

use anyhow::Context as _;
use flowlet::Threshold;
use flowlet_trainer::export::with_threshold;
use flowlet_trainer::inference::log_probs;
use flowlet_trainer::model_file::ModelFile;
use flowlet_trainer::output::check_writable;
use flowlet_trainer::threshold::{CONFIDENCE, threshold};
use serde_json::Value;

use super::report::{Report, grouped, number};
use super::tables::{self, Reading};
use super::{check_apart, filter};

/// Stores in a model where strange begins
///
/// The threshold is the log-probability below which a share of at most --false-alarms of rows like these
/// lies, with the bounds in which that share is for 99 of 100 tables. `score` and firmware use it. The
/// rows should be normal ones that the model was not trained on; for rows from elsewhere, such as of
/// another person or sensor, the share may be any. A threshold that the model has is replaced; training
/// and `quantize` write models without one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowlet calibrate imu.flow normal.csv --false-alarms 0.01
  flowlet calibrate imu.flow imu.csv --where activity=walking -o calibrated.flow")]
pub(super) struct Arguments {
    /// The model file, a RealNVP
    model: PathBuf,
    /// The table of normal rows: a CSV or NPY file, or - for standard input
    data: PathBuf,
    /// Share of normal rows that may be called strange
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.01,
        allow_negative_numbers = true
    )]
    false_alarms: f64,
    /// Only rows where the column has this value; where all do, if given again
    #[arg(long = "where", value_name = "COLUMN=VALUE", value_parser = filter)]
    filters: Vec<(String, String)>,
    #[command(flatten)]
    reading: Reading,
    /// Where to write the calibrated model [default: the model file itself]
    #[arg(short, long, value_name = "FILE.flow")]
    output: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let output = arguments.output.as_ref().unwrap_or(&arguments.model);
    check_apart(&[Some(&arguments.data)], &[Some(output)])?;
    check_writable(output)?;
    let file = ModelFile::read(&arguments.model)?;
    let model = file.model()?;
    let cannot = || format!("cannot calibrate {}", arguments.model.display());
    model.real_nvp().with_context(cannot)?;
    let table = arguments.reading.open(&arguments.data)?;
    let labels: Vec<&str> = model.labels().collect();
    let (dim, context_dim) = (model.dim(), model.context_dim());
    let selected = table.select_matching(&arguments.filters, &labels, dim, context_dim)?;
    let data = tables::data(selected, &arguments.data);
    let log_probs = log_probs(&model, &data.points, &data.context)?;
    let threshold = threshold(&log_probs, arguments.false_alarms)?;
    with_threshold(&file, &threshold)?.write(output)?;

    let mut report = Report::default();
    let path = output.display().to_string();
    report.fact("output", path.clone(), "written to", path);
    add_threshold(&mut report, &threshold);
    Ok(report.print(arguments.json)?)
}

/// Adds a threshold and what it promises.
pub(super) fn add_threshold(report: &mut Report, threshold: &Threshold) {
    let log_prob = f64::from(threshold.log_prob);
    let text = format!("log_prob {log_prob:.4}");
    report.fact("threshold", number(log_prob), "threshold", text);
    let Threshold {
        false_alarms,
        at_least,
        at_most,
        rows,
        ..
    } = *threshold;
    let percent = |share: f32| 100.0 * f64::from(share);
    let text = format!(
        "{:.4} % asked for; of rows like the {} it was chosen by, {:.2} to {:.2} % with {:.0} % confidence",
        percent(false_alarms),
        grouped(rows as usize),
        percent(at_least),
        percent(at_most),
        100.0 * CONFIDENCE
    );
    // As it was asked for: 0.05, not the 0.05000000074505806 that f32 makes of it.
    let share = |share: f32| share.to_string().parse().map_or(Value::Null, number);
    report.fact("false_alarms", share(false_alarms), "false alarms", text);
    report.value("at_least", share(at_least));
    report.value("at_most", share(at_most));
    report.value("calibration_rows", rows);
}
