//! Rows that integer nets are calibrated on, and what is lost by those nets.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use flowlet::Precision;
use flowlet_trainer::data::Dataset;
use flowlet_trainer::evaluation::POINTS;
use flowlet_trainer::export::export;
use flowlet_trainer::flow::Flow;
use flowlet_trainer::inference::{noise, transport};
use flowlet_trainer::model_file::ModelFile;
use flowlet_trainer::quantize::{Loss, Pair, Rows, loss, quantize};
use ndarray::Array2;

use super::filter;
use super::report::{Report, grouped, number};
use super::tables::{self, Reading};

/// A loss above this, in nats, is called high.
const HIGH_LOSS: f64 = 0.01;

/// Of the noise of all samples that are looked at.
const SEED: u64 = 1;

#[derive(Debug, clap::Args)]
pub(super) struct Calibration {
    /// Rows like those that the model will see (CSV, NPY, or - for standard input), to calibrate int8
    /// nets on; the model's own samples unless given
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Calibrate only on rows where the column has this value; where all do, if given again
    #[arg(long = "where", value_name = "COLUMN=VALUE", value_parser = filter)]
    filters: Vec<(String, String)>,
    #[command(flatten)]
    reading: Reading,
}

impl Calibration {
    /// The file that is read.
    pub(super) fn path(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    /// That rows are only chosen from a table.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        ensure!(
            self.data.is_some() || self.filters.is_empty(),
            "--where chooses rows to calibrate on: name their file with --data"
        );
        Ok(())
    }

    /// The flow with integer nets; adds to the report what they lose.
    pub(super) fn quantize(&self, flow: &Flow, report: &mut Report) -> anyhow::Result<ModelFile> {
        let float = export(flow, Precision::F32)?;
        self.check()?;
        let Some(path) = &self.data else {
            ensure!(
                flow.context_dim == 0,
                "the model takes a context, which its own samples do not tell: \
                 give rows with --data, or stay with f32"
            );
            let file = quantize(flow, None)?.export()?;
            let context = Array2::zeros((POINTS, 0));
            let noise = noise(POINTS, flow.dim, SEED + 1);
            let samples = transport(&float.model()?, &noise, &context, None)?;
            let loss = loss(&float.model()?, &file.model()?, &samples, &context, SEED)?;
            let points = format!("{} samples of the f32 model", grouped(POINTS));
            add_loss(report, &loss, &points);
            return Ok(file);
        };
        let labels: Vec<&str> = flow.labels.iter().map(String::as_str).collect();
        let table = self.reading.open(path)?;
        let selected = table.select_matching(&self.filters, &labels, flow.dim, flow.context_dim)?;
        let data = tables::data(selected, path);
        let file = quantize(flow, Some(rows(&data)))?.export()?;
        let (points, context) = (&data.points, &data.context);
        let loss = loss(&float.model()?, &file.model()?, points, context, SEED)?;
        let count = points.nrows().min(POINTS);
        let points = format!("{} rows of {}", grouped(count), path.display());
        add_loss(report, &loss, &points);
        Ok(file)
    }
}

/// All rows of a data set.
pub(super) fn rows(data: &Dataset) -> Rows<'_> {
    Rows {
        points: data.points.view(),
        context: data.context.view(),
    }
}

/// Adds what is lost by integer nets on `points`.
pub(super) fn add_loss(report: &mut Report, loss: &Loss, points: &str) {
    if let Some(nll) = &loss.nll {
        add_nats(report, nll, points);
    }
    for (key, name, pair) in [
        ("sliced_w2", "sliced W2", &loss.sliced_w2),
        ("energy_distance", "energy distance", &loss.energy_distance),
    ] {
        let change = signless_zero(format!("{:+.5}", pair.growth()));
        let text = format!(
            "{change}; {:.5} in f32, {:.5} in int8 ({points})",
            pair.f32, pair.int8
        );
        let label = format!("{name} by int8");
        report.fact(&format!("{key}_int8"), number(pair.int8), label, text);
        report.value(&format!("{key}_f32"), number(pair.f32));
    }
}

/// Adds how much the negative log-likelihood grows on `points`.
pub(super) fn add_nats(report: &mut Report, nll: &Pair, points: &str) {
    let lost = nll.growth();
    let judged = if !lost.is_finite() {
        "not known, as rows lie farther out than 32-bit numbers reach: leave those out".into()
    } else if lost > HIGH_LOSS {
        format!("{lost:.4}, a high loss: the f32 model (--precision f32) has none")
    } else {
        signless_zero(format!("{lost:.4}"))
    };
    let text = format!(
        "{judged}; NLL {:.4} in f32, {:.4} in int8 ({points})",
        nll.f32, nll.int8
    );
    report.fact("nats_lost", number(lost), "nats lost by int8", text);
    report.value("nll_f32", number(nll.f32));
    report.value("nll_int8", number(nll.int8));
}

/// The number, without a minus where it shows as 0.
fn signless_zero(text: String) -> String {
    match text.strip_prefix('-') {
        Some(zero) if zero.bytes().all(|byte| b"0.".contains(&byte)) => zero.into(),
        _ => text,
    }
}
