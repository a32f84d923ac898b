//! `flowlet run`.

mod comparison;
mod detection;

use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};
use clap::ValueEnum;
use flowlet::Model;
use flowlet_protocol::Spent;
use flowlet_trainer::board::{Board, BoardRun, run as run_on};
use flowlet_trainer::data::name_of;
use flowlet_trainer::data::table::write_csv;
use flowlet_trainer::model_file::ModelFile;
use flowlet_trainer::output::{check_writable, write_whole};
use flowlet_trainer::plot::scatter;
use ndarray::Array2;

use super::on_board::{OnBoard, columns, shown, with_progress};
use super::plot::check_ending;
use super::report::{Report, grouped};
use super::{check_apart, summary};

/// Samples that are printed.
const SHOWN: usize = 8;

/// Runs a model on a board and shows its samples, or what it takes there
///
/// The firmware is built once; the model is data to it, laid into the board's flash. `sampler` draws
/// samples and checks that each number has the bits that this computer gives for the same seed.
/// `compare` runs one model after another and tells what a sample of each takes. `detector` is fed a motion
/// sensor's samples, those of the checkout unless others are given, forms windows' features and holds each
/// window against the model's threshold (see `calibrate`); what it finds is checked likewise. `flowlet boards`
/// tells which boards there are.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowlet run moons.flow --board qemu-m4 --plot board.png
  flowlet run moons.flow --board qemu-m4 --log=debug
  flowlet run moons.flow small.flow --board qemu-m0 --example compare
  flowlet run walking.flow --board qemu-m4 --example detector
  flowlet run imu.flow --board qemu-m4 --example detector --replay imu.csv \\
    --recording 100 --normal activity=walking")]
pub(super) struct Arguments {
    /// The model file; more than one for compare
    #[arg(required = true)]
    models: Vec<PathBuf>,
    #[command(flatten)]
    on_board: OnBoard,
    /// What runs on it
    #[arg(long, value_enum, default_value_t = Example::Sampler)]
    example: Example,
    #[command(flatten)]
    replay: detection::Replay,
    /// Where to write the samples, or the detector's windows, as CSV
    #[arg(short, long, value_name = "FILE.csv")]
    output: Option<PathBuf>,
    /// Where to draw the samples; MODEL-BOARD.png unless given
    #[arg(long, value_name = "FILE.png")]
    plot: Option<PathBuf>,
}

/// The programs there are for boards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Example {
    /// Samples, and their log-probabilities where the model has them
    Sampler,
    /// What each of several models takes
    Compare,
    /// Whether windows of a motion sensor's samples are strange
    Detector,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if arguments.example != Example::Detector {
        arguments.replay.check_absent()?;
    }
    match (arguments.example, &arguments.models[..]) {
        (Example::Sampler, [model]) => sample(model, arguments),
        (Example::Sampler, _) => {
            bail!("the sampler takes one model: add `--example compare`, or leave out the others")
        }
        (Example::Compare, _) => comparison::run(arguments),
        (Example::Detector, _) => detection::run(arguments),
    }
}

fn sample(model: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    let plot_path = plot_path(model, arguments);
    let written = [arguments.output.as_deref(), Some(plot_path.as_path())];
    check_apart(
        &[Some(model), arguments.on_board.firmware.as_deref()],
        &written,
    )?;
    check_ending(&plot_path)?;
    let file = ModelFile::read(model)?;
    let model = file.model()?;
    arguments.on_board.draw.check_steps(&model)?;
    let request = arguments
        .on_board
        .request(std::slice::from_ref(&model), u32::MAX)?;
    for path in written.into_iter().flatten() {
        check_writable(path)?;
    }
    let outcome = with_progress(&request, |progress| {
        run_on(arguments.on_board.board, &file, &request, progress)
    })?;
    ensure!(
        outcome.has_bits_of_host(&model, &request)?,
        "the board's samples differ from this computer's: this is a fault in flowlet"
    );

    let table = table(&model, &outcome);
    if let Some(path) = &arguments.output {
        write_whole(path, |file| write_csv(file, &table.0, table.1.view()))?;
    }
    plot(&plot_path, &model, arguments.on_board.board, &outcome)?;

    let mut report = Report::default();
    add_outcome(&mut report, arguments, &model, &outcome);
    let path = plot_path.display().to_string();
    report.fact("plot", path.clone(), "picture", path);
    Ok(report.print(arguments.on_board.json)?)
}

/// The samples and, where there are any, their log-probabilities, with the columns' names.
fn table(model: &Model<'_>, outcome: &BoardRun) -> (Vec<String>, Array2<f32>) {
    let names = columns(Some(model), model.dim(), outcome.log_probs.is_some());
    let mut rows = outcome.samples.clone();
    if let Some(log_probs) = &outcome.log_probs {
        rows.push_column(log_probs.as_slice().into())
            .expect("one log-probability a sample");
    }
    (names, rows)
}

fn plot_path(model: &Path, arguments: &Arguments) -> PathBuf {
    let default = || {
        let model = name_of(model);
        PathBuf::from(format!("{model}-{}.png", arguments.on_board.board))
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
    if !arguments.on_board.json {
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
        arguments.on_board.board.name(),
        "board",
        arguments.on_board.board.description(),
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
