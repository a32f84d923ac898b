//! `flowlet verify`.

use std::path::PathBuf;

use anyhow::bail;
use flowlet_trainer::board::{
    Board, Difference, Request, default_n, macs_per_sample, run as run_on,
};
use flowlet_trainer::model_file::ModelFile;

use super::draw::Draw;
use super::numbers::{MOST, count};
use super::report::{Report, grouped};
use super::run::{board, with_progress};

/// Checks that a board gives the bits that this computer gives
///
/// The board draws samples and, where the model has them, their log-probabilities; every number is
/// compared with this computer's for the same seed. Another bit ends the command with exit code 1 and
/// the first number that differs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowlet verify moons.flow --board qemu-m0
  flowlet verify moons.flow --board qemu-rv32 -n 10000 --seed 1")]
pub(super) struct Arguments {
    /// The model file
    model: PathBuf,
    /// The board: qemu-m0, qemu-m3, qemu-m4, qemu-m7, qemu-m33 or qemu-rv32
    #[arg(long, value_name = "BOARD", default_value = "qemu-m4", value_parser = board)]
    board: Board,
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
    /// The sampler's firmware for the board, where it has been built: needs no compiler
    #[arg(long, value_name = "PROGRAM.elf")]
    firmware: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let file = ModelFile::read(&arguments.model)?;
    let model = file.model()?;
    arguments.draw.check_steps(&model)?;
    let macs = macs_per_sample(&model, arguments.draw.steps);
    let request = Request {
        seed: arguments.draw.seed,
        step_count: arguments.draw.steps,
        context: arguments.draw.context(&model)?,
        program: arguments.firmware.clone(),
        ..Request::new(arguments.n.unwrap_or(default_n(arguments.board, macs)))
    };
    let outcome = with_progress(request.n, |progress| {
        run_on(arguments.board, &file, &request, progress)
    })?;
    if let Some(difference) = outcome.first_difference(&model, &request)? {
        bail!(message(arguments.board, model.dim(), &difference));
    }
    let per_sample = model.dim() + usize::from(outcome.log_probs.is_some());
    let numbers = request.n as usize * per_sample;
    let mut report = Report::default();
    let board = arguments.board;
    report.fact("board", board.name(), "board", board.description());
    report.fact("n", request.n, "samples", grouped(request.n as usize));
    let text = format!("{}, all with the bits of this computer", grouped(numbers));
    report.fact("numbers", numbers, "numbers", text);
    report.value("equal", true);
    Ok(report.print(arguments.json)?)
}

fn message(board: Board, dim: usize, difference: &Difference) -> String {
    let Difference {
        row,
        column,
        board: found,
        host,
    } = difference;
    let what = match *column == dim {
        true => "log-probability".into(),
        false => format!("dimension {}", column + 1),
    };
    format!(
        "sample {}, {what}: {board} has {found} ({:08x}), this computer {host} ({:08x}): \
         if the firmware was built from this release, this is a fault in flowlet",
        row + 1,
        found.to_bits(),
        host.to_bits()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_told_to_the_bit() {
        let difference = Difference {
            row: 4,
            column: 2,
            board: 1.0,
            host: -0.0,
        };
        let text = message(Board::QemuM0, 2, &difference);
        let start =
            "sample 5, log-probability: qemu-m0 has 1 (3f800000), this computer -0 (80000000)";
        assert!(text.starts_with(start), "{text}");
        assert!(message(Board::QemuM0, 3, &difference).contains("dimension 3"));
    }
}
