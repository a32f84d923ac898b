//! `flowlet update`.

use std::path::PathBuf;

use anyhow::ensure;
use flowlet::{Kind, Model};
use flowlet_trainer::board::update::{Stage, request_for, run as update};
use flowlet_trainer::board::{Board, Request};
use flowlet_trainer::model_file::ModelFile;
use indicatif::{ProgressBar, ProgressStyle};

use super::draw::Draw;
use super::numbers::{MOST, count};
use super::on_board::board;
use super::report::{Report, grouped};

/// Samples that are drawn of each model.
const SAMPLES: u32 = 8;

/// Sends a board a new model while it runs, without a compiler
///
/// The board's firmware is the example `update`: it has two slots for models in flash. The new model goes
/// to the one that is not in use, is checked there, and becomes the active one by one write; whatever happens
/// before leaves the old one. In QEMU the board starts with the model of --old, and samples of both models are
/// checked against those of this computer, bit for bit.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  flowlet update new.flow --board qemu-m4 --old moons.flow")]
pub(super) struct Arguments {
    /// The new model's file
    model: PathBuf,
    /// The board: qemu-m0, qemu-m3, qemu-m4, qemu-m7, qemu-m33 or qemu-rv32
    #[arg(long, value_name = "BOARD", default_value = "qemu-m4", value_parser = board)]
    board: Board,
    /// The file of the model that the board has before
    #[arg(long, value_name = "FILE.flow")]
    old: PathBuf,
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
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let old = ModelFile::read(&arguments.old)?;
    let new = ModelFile::read(&arguments.model)?;
    let (old_model, new_model) = (old.model()?, new.model()?);
    arguments.draw.check_steps(&new_model)?;
    let request = Request {
        seed: arguments.draw.seed,
        step_count: arguments.draw.steps,
        context: arguments.draw.context(&new_model)?,
        program: arguments.firmware.clone(),
        ..Request::new(arguments.n)
    };
    let len = new.bytes().len();
    let bar = bar(len);
    let updated = update(
        arguments.board,
        &old,
        &new,
        &request,
        &mut |stage| match stage {
            Stage::Building => bar.set_message("(building the firmware)"),
            Stage::Sent(count) => {
                bar.set_message("");
                bar.set_position(count as u64);
            }
        },
    );
    bar.finish_and_clear();
    let updated = updated?;
    let is_same = updated
        .before
        .has_bits_of_host(&old_model, &request_for(&old, &request)?)?
        && updated.after.has_bits_of_host(&new_model, &request)?;
    ensure!(
        is_same,
        "the board's samples differ from this computer's: this is a fault in flowlet"
    );

    let mut report = Report::default();
    let (board, n) = (arguments.board, arguments.n as usize);
    report.fact("board", board.name(), "board", board.description());
    let bits = format!("{} samples, bit for bit those of this computer", grouped(n));
    let told = |model: &Model<'_>| format!("{}: {bits}", described(model));
    report.fact("old", old_model.name(), "before", told(&old_model));
    let sent = format!(
        "{} bytes in {} frames, {} of them sent again",
        grouped(len),
        grouped(updated.sent.frames as usize),
        updated.sent.again
    );
    report.fact("frames", updated.sent.frames, "sent", sent);
    report.fact("new", new_model.name(), "after", told(&new_model));
    report.value("n", arguments.n);
    report.value("bytes", len);
    report.value("again", updated.sent.again);
    Ok(report.print(arguments.json)?)
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
