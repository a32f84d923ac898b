//! `flowlet update`.

use std::path::PathBuf;

use anyhow::{bail, ensure};
use flowlet::{Kind, Model};
use flowlet_trainer::board::exchange::run_over;
use flowlet_trainer::board::update::{
    Patience, Sent, Stage, check_slot, request_for, run as update, send,
};
use flowlet_trainer::board::{Board, BoardRun, Line, Request};
use flowlet_trainer::model_file::ModelFile;
use indicatif::{ProgressBar, ProgressStyle};

use super::draw::Draw;
use super::log::Logged;
use super::numbers::{MOST, count};
use super::on_board::board;
use super::report::{Report, grouped};
use super::serial::Serial;

/// Samples that are drawn of each model.
const SAMPLES: u32 = 8;

/// Sends a board a new model while it runs, without a compiler
///
/// The board's firmware is the example `update`: it has two slots for models in flash. The new model goes
/// to the one that is not in use, is checked there, and becomes the active one by one write; whatever happens
/// before leaves the old one. Samples of the new model are checked against those of this computer, bit for
/// bit; in QEMU, where the board starts with the model of --old, those of the old one too.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowlet update new.flow --board qemu-m4 --old moons.flow
  flowlet update new.flow --board nrf52840-dk --port /dev/ttyACM0")]
pub(super) struct Arguments {
    /// The new model's file
    model: PathBuf,
    /// The board, one of those that `flowlet boards` lists
    #[arg(long, value_name = "BOARD", default_value = "qemu-m4", value_parser = board)]
    board: Board,
    /// The file of the model that a board in QEMU has before
    #[arg(long, value_name = "FILE.flow")]
    old: Option<PathBuf>,
    #[command(flatten)]
    serial: Serial,
    /// Number of samples of each model
    #[arg(
        short,
        long,
        value_name = "N",
        default_value_t = SAMPLES,
        value_parser = count::<u32>(1..=MOST),
        allow_negative_numbers = true
    )]
    n: u32,
    #[command(flatten)]
    draw: Draw,
    /// The example's firmware for the board, where it has been built: needs no compiler
    #[arg(long, value_name = "PROGRAM.elf")]
    firmware: Option<PathBuf>,
    #[command(flatten)]
    logged: Logged,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let new = ModelFile::read(&arguments.model)?;
    let model = new.model()?;
    arguments.draw.check_steps(&model)?;
    let request = Request {
        seed: arguments.draw.seed(),
        step_count: arguments.draw.steps,
        context: arguments.draw.context(&model)?,
        program: arguments.firmware.clone(),
        log: arguments.logged.log(),
        ..Request::new(arguments.n)
    };
    let mut report = Report::default();
    let board = arguments.board;
    arguments.logged.check_absent(board)?;
    check_slot(board, &new)?;
    report.fact("board", board.name(), "board", board.description());
    let has_firmware = arguments.firmware.is_some();
    let line = match &arguments.old {
        None if board.is_emulated() => {
            bail!("say which model {board} has before, with --old: QEMU forgets it")
        }
        Some(_) if !board.is_emulated() => {
            bail!("{board} has its own model before: leave out --old, which is for boards in QEMU")
        }
        _ => arguments.serial.line(board, has_firmware)?,
    };
    match (line, &arguments.old) {
        (Some(line), _) => over_line(line, board, &new, &request, &mut report)?,
        (None, Some(old)) => in_qemu(board, &ModelFile::read(old)?, &new, &request, &mut report)?,
        (None, None) => unreachable!("a board without a line is emulated"),
    }
    report.value("n", arguments.n);
    report.value("bytes", new.bytes().len());
    Ok(report.print(arguments.json)?)
}

fn in_qemu(
    board: Board,
    old: &ModelFile,
    new: &ModelFile,
    request: &Request,
    report: &mut Report,
) -> anyhow::Result<()> {
    let bar = bar(new.bytes().len());
    let updated = update(board, old, new, request, &mut |stage| match stage {
        Stage::Building => bar.set_message("(building the firmware)"),
        Stage::Sent(_) if bar.is_finished() => {}
        // From there on the log shows it.
        Stage::Sent(_) if request.log.is_some() => bar.finish_and_clear(),
        Stage::Sent(count) => {
            bar.set_message("");
            bar.set_position(count as u64);
        }
    });
    bar.finish_and_clear();
    let updated = updated?;
    add_samples(
        report,
        "old",
        "before",
        old,
        &updated.before,
        &request_for(old, request)?,
    )?;
    add_sent(report, new, updated.sent);
    add_samples(report, "new", "after", new, &updated.after, request)
}

fn over_line(
    mut line: Line,
    board: Board,
    new: &ModelFile,
    request: &Request,
    report: &mut Report,
) -> anyhow::Result<()> {
    let bar = bar(new.bytes().len());
    let patience = Patience::with(board, new.bytes().len());
    bar.set_message("(erasing a slot)");
    let sent = send(&mut line, new.bytes(), patience, &mut |count| {
        bar.set_message("");
        bar.set_position(count as u64);
    });
    bar.finish_and_clear();
    add_sent(report, new, sent?);
    let after = run_over(&mut line, board, new, request, &mut |_| {})?;
    add_samples(report, "new", "after", new, &after, request)
}

fn add_sent(report: &mut Report, file: &ModelFile, sent: Sent) {
    let text = format!(
        "{} bytes in {} frames, {} of them sent again",
        grouped(file.bytes().len()),
        grouped(sent.frames as usize),
        sent.again
    );
    report.fact("frames", sent.frames, "sent", text);
    report.value("again", sent.again);
}

/// Tells of a model's samples, if they are this computer's.
fn add_samples(
    report: &mut Report,
    key: &str,
    label: &str,
    file: &ModelFile,
    run: &BoardRun,
    request: &Request,
) -> anyhow::Result<()> {
    let model = file.model()?;
    ensure!(
        run.has_bits_of_host(&model, request)?,
        "the board's samples differ from this computer's: this is a fault in flowlet"
    );
    let text = format!(
        "{}: {} samples, bit for bit those of this computer",
        described(&model),
        grouped(request.n as usize)
    );
    report.fact(key, model.name(), label, text);
    Ok(())
}

fn described(model: &Model<'_>) -> String {
    let name = model.name();
    match model.kind() {
        Kind::RealNvp { layer_count, .. } => format!("{name}, RealNVP of {layer_count} couplings"),
        Kind::FlowMatching { step_count } => {
            format!("{name}, flow matching in {step_count} steps")
        }
    }
}

fn bar(len: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} bytes {msg}")
        .expect("the template is well-formed");
    ProgressBar::new(len as u64).with_style(style)
}
