//! `flowlet run`.

mod comparison;

use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};
use clap::ValueEnum;
use flowlet::Model;
use flowlet_protocol::Spent;
use flowlet_trainer::board::{
    Board, BoardRun, Progress, Request, default_n, macs_per_sample, run as run_on,
};
use flowlet_trainer::data::name_of;
use flowlet_trainer::data::table::write_csv;
use flowlet_trainer::error::Error;
use flowlet_trainer::model_file::ModelFile;
use flowlet_trainer::output::{check_writable, write_whole};
use flowlet_trainer::plot::scatter;
use indicatif::{ProgressBar, ProgressStyle};
use ndarray::Array2;

use super::draw::Draw;
use super::numbers::{MOST, count};
use super::report::{Report, grouped};
use super::{check_apart, summary};

/// Samples that are printed.
const SHOWN: usize = 8;

/// Runs a model on a board and shows its samples, or what it takes there
///
/// The firmware is built once; the model is data to it, laid into the board's flash. `sampler` draws
/// samples and checks that each number has the bits that this computer gives for the same seed.
/// `compare` runs one model after another and tells what a sample of each takes. `flowlet boards` tells
/// which boards there are.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowlet run moons.flow --board qemu-m4 --plot board.png
  flowlet run moons.flow small.flow --board qemu-m0 --example compare")]
pub(super) struct Arguments {
    /// The model file; more than one for compare
    #[arg(required = true)]
    models: Vec<PathBuf>,
    /// The board: qemu-m0, qemu-m3, qemu-m4, qemu-m7, qemu-m33 or qemu-rv32
    #[arg(long, value_name = "BOARD", default_value = "qemu-m4", value_parser = board)]
    board: Board,
    /// What runs on it
    #[arg(long, value_enum, default_value_t = Example::Sampler)]
    example: Example,
    /// Number of samples; as many as the board does in a few seconds unless given
    #[arg(
        short,
        long,
        value_name = "N",
        value_parser = count::<u32>(1..=MOST),
        allow_negative_numbers = true
    )]
    n: Option<u32>,
    #[command(flatten)]
    draw: Draw,
    /// The example's firmware for the board, where it has been built: needs no compiler
    #[arg(long, value_name = "PROGRAM.elf")]
    firmware: Option<PathBuf>,
    /// Where to write the samples as CSV
    #[arg(short, long, value_name = "FILE.csv")]
    output: Option<PathBuf>,
    /// Where to draw the samples; MODEL-BOARD.png unless given
    #[arg(long, value_name = "FILE.png")]
    plot: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The programs there are for boards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Example {
    /// Samples, and their log-probabilities where the model has them
    Sampler,
    /// What each of several models takes
    Compare,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match (arguments.example, &arguments.models[..]) {
        (Example::Sampler, [model]) => sample(model, arguments),
        (Example::Sampler, _) => {
            bail!("the sampler takes one model: add `--example compare`, or leave out the others")
        }
        (Example::Compare, _) => comparison::run(arguments),
    }
}

pub(super) fn board(name: &str) -> Result<Board, String> {
    Board::from_name(name).map_err(|error| error.to_string())
}

fn sample(model: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    let plot_path = plot_path(model, arguments);
    let written = [arguments.output.as_deref(), Some(plot_path.as_path())];
    check_apart(&[Some(model), arguments.firmware.as_deref()], &written)?;
    let file = ModelFile::read(model)?;
    let model = file.model()?;
    arguments.draw.check_steps(&model)?;
    let request = request(&model, arguments)?;
    for path in written.into_iter().flatten() {
        check_writable(path)?;
    }
    let outcome = with_progress(request.n, |progress| {
        run_on(arguments.board, &file, &request, progress)
    })?;
    ensure!(
        outcome.has_bits_of_host(&model, &request)?,
        "the board's samples differ from this computer's: this is a fault in flowlet"
    );

    let table = table(&model, &outcome);
    if let Some(path) = &arguments.output {
        write_whole(path, |file| write_csv(file, &table.0, table.1.view()))?;
    }
    plot(&plot_path, &model, arguments.board, &outcome)?;

    let mut report = Report::default();
    add_outcome(&mut report, arguments, &model, &outcome);
    let path = plot_path.display().to_string();
    report.fact("plot", path.clone(), "picture", path);
    Ok(report.print(arguments.json)?)
}

fn request(model: &Model<'_>, arguments: &Arguments) -> anyhow::Result<Request> {
    let macs = macs_per_sample(model, arguments.draw.steps);
    let n = arguments.n.unwrap_or(default_n(arguments.board, macs));
    Ok(Request {
        seed: arguments.draw.seed,
        step_count: arguments.draw.steps,
        context: arguments.draw.context(model)?,
        program: arguments.firmware.clone(),
        ..Request::new(n)
    })
}

/// Shows how far `work` has come with `n` samples.
pub(super) fn with_progress<T>(
    n: u32,
    work: impl FnOnce(&mut dyn FnMut(Progress)) -> Result<T, Error>,
) -> anyhow::Result<T> {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} samples {msg}")
        .expect("the template is well-formed");
    let bar = ProgressBar::new(u64::from(n)).with_style(style);
    let outcome = work(&mut |progress| match progress {
        Progress::Building => bar.set_message("(building the firmware)"),
        Progress::Sampled(n) => {
            bar.set_message("");
            bar.set_position(u64::from(n));
        }
    });
    bar.finish_and_clear();
    Ok(outcome?)
}

/// The samples and, where there are any, their log-probabilities, with the columns' names.
fn table(model: &Model<'_>, outcome: &BoardRun) -> (Vec<String>, Array2<f32>) {
    let dim = model.dim();
    let mut labels: Vec<String> = model.labels().take(dim).map(Into::into).collect();
    if labels.is_empty() {
        labels = (0..dim).map(|i| format!("x{i}")).collect();
    }
    let mut rows = outcome.samples.clone();
    if let Some(log_probs) = &outcome.log_probs {
        labels.push("log_prob".into());
        rows.push_column(log_probs.as_slice().into())
            .expect("one log-probability a sample");
    }
    (labels, rows)
}

fn plot_path(model: &Path, arguments: &Arguments) -> PathBuf {
    let default = || {
        let model = name_of(model);
        PathBuf::from(format!("{model}-{}.png", arguments.board))
    };
    arguments.plot.clone().unwrap_or_else(default)
}

fn plot(path: &Path, model: &Model<'_>, board: Board, outcome: &BoardRun) -> anyhow::Result<()> {
    let title = format!("{} on {board}", model.name());
    let samples = ("samples", outcome.samples.view());
    Ok(scatter(
        path,
        &title,
        summary::axis_labels(model),
        &[samples],
    )?)
}

fn add_outcome(report: &mut Report, arguments: &Arguments, model: &Model<'_>, outcome: &BoardRun) {
    let (labels, rows) = table(model, outcome);
    if !arguments.json {
        let headings = labels.iter().map(|label| format!(" {label:>9}"));
        report.line(&headings.collect::<String>());
        for row in rows.rows().into_iter().take(SHOWN) {
            let numbers = row.iter().map(|x| format!(" {:>9}", shown(*x)));
            report.line(&numbers.collect::<String>());
        }
        report.line("");
    }
    let n = outcome.samples.nrows();
    report.fact(
        "board",
        arguments.board.name(),
        "board",
        arguments.board.description(),
    );
    report.fact(
        "n",
        n,
        "samples",
        format!("{}, bit for bit those of this computer", grouped(n)),
    );
    if let Some((key, each, text)) = spent(outcome.spent, n) {
        let with = match outcome.log_probs {
            Some(_) => " with its log-probability",
            None => "",
        };
        report.fact(key, each, "a sample took", text + with);
    }
    let nested: Vec<Vec<f32>> = rows.rows().into_iter().map(|row| row.to_vec()).collect();
    report.value("columns", labels);
    report.value("rows", serde_json::json!(nested));
}

/// What one of `n` samples took with its log-probability, for machines and for people.
fn spent(spent: Option<Spent>, n: usize) -> Option<(&'static str, u64, String)> {
    let each = spent?.each(n as u32)?;
    let (unit, number) = match each {
        Spent::Cycles(number) => ("cycles", number),
        Spent::Instructions(number) => ("instructions", number),
    };
    Some((unit, number, format!("{} {unit}", grouped(number as usize))))
}

/// The number with four decimals, or with an exponent where those are too many or tell nothing.
fn shown(x: f32) -> String {
    if x == 0.0 || (1e-3..1e5).contains(&x.abs()) {
        format!("{x:.4}")
    } else {
        format!("{x:.3e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_size_are_short() {
        let numbers = [0.0, -0.5, 12_345.678, 1e5, -4.975_571e-31, f32::MAX];
        let expected = [
            "0.0000",
            "-0.5000",
            "12345.6777",
            "1.000e5",
            "-4.976e-31",
            "3.403e38",
        ];
        assert_eq!(numbers.map(shown), expected);
    }
}
