//! `flowlet inspect`.

use std::path::PathBuf;

use flowlet::Model;
use flowlet_trainer::board::cost::{TOLERANCE, Work};
use flowlet_trainer::board::{Board, Memory};
use flowlet_trainer::model_file::ModelFile;
use serde_json::{Value, json};

use super::report::{Report, grouped};
use super::summary::add_model;

/// Checks a model file and tells what it holds and needs
///
/// On each board: the instructions of a sample, estimated by the model's sizes, and the flash and the
/// RAM of the least firmware that samples the model, code, stack and scratch included.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  flowlet inspect moons.flow")]
pub(super) struct Arguments {
    /// The model file
    model: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let file = ModelFile::read(&arguments.model)?;
    let model = file.model()?;
    let mut report = Report::default();
    add_model(&mut report, &model, file.bytes().len());
    add_boards(&mut report, &model, file.bytes().len());
    Ok(report.print(arguments.json)?)
}

/// Adds what the model takes of each board, and whether the board has it.
fn add_boards(report: &mut Report, model: &Model<'_>, len: usize) {
    let work = Work::of_sample(model.description());
    let percent = 100.0 * TOLERANCE;
    let instructions = format!("instructions a sample, ±{percent} %");
    let head = ["core", "board", &instructions, "flash", "RAM", "fits"];
    let mut rows = vec![head.map(String::from)];
    let mut values: Vec<Value> = vec![];
    for board in Board::QEMU {
        let instructions = rounded(work.instructions(board));
        let memory = Memory::of_sampler(board, model, len);
        let fit = Fit::of(memory, board.memory());
        rows.push([
            board.core().into(),
            board.name().into(),
            grouped(instructions),
            grouped(memory.flash),
            grouped(memory.ram),
            fit.text().into(),
        ]);
        values.push(json!({
            "board": board.name(),
            "core": board.core(),
            "instructions": instructions,
            "flash": memory.flash,
            "ram": memory.ram,
            "fits": fit == Fit::Whole,
        }));
    }
    report.table(&rows);
    report.value("boards", values);
}

/// Whether a board has the memory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fit {
    Whole,
    NoFlash,
    NoRam,
}

impl Fit {
    fn of(taken: Memory, there: Memory) -> Self {
        match (taken.flash <= there.flash, taken.ram <= there.ram) {
            (true, true) => Self::Whole,
            (false, _) => Self::NoFlash,
            (true, false) => Self::NoRam,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Whole => "yes",
            Self::NoFlash => "no, too little flash",
            Self::NoRam => "no, too little RAM",
        }
    }
}

/// To three digits: an estimate has no more.
fn rounded(n: u64) -> usize {
    let unit = 10u64.pow(n.checked_ilog10().unwrap_or(0).saturating_sub(2));
    (n.saturating_add(unit / 2) / unit * unit) as usize
}
