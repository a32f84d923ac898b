//! `flowlet verify`.

use std::path::PathBuf;

use anyhow::bail;
use flowlet_trainer::board::exchange::run_over;
use flowlet_trainer::board::{Board, Difference, run as run_on};
use flowlet_trainer::model_file::ModelFile;

use super::on_board::{OnBoard, with_progress};
use super::report::{Report, grouped};
use super::serial::Serial;

/// Checks that a board gives the bits that this computer gives
///
/// The board draws samples and, where the model has them, their log-probabilities; every number is
/// compared with this computer's for the same seed. A board of silicon has the sampler by `flowlet flash` and
/// answers over its serial port; its own random source is not asked. Another bit ends the command with exit code 1 and
/// the first number that differs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowlet verify moons.flow --board qemu-m0
  flowlet verify moons.flow --board qemu-rv32 -n 10000 --seed 1
  flowlet verify moons.flow --board nrf52840-dk --port /dev/ttyACM0")]
pub(super) struct Arguments {
    /// The model file
    model: PathBuf,
    #[command(flatten)]
    on_board: OnBoard,
    #[command(flatten)]
    serial: Serial,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let OnBoard { board, draw, .. } = &arguments.on_board;
    let board = *board;
    let file = ModelFile::read(&arguments.model)?;
    let model = file.model()?;
    draw.check_steps(&model)?;
    arguments.on_board.logged.check_absent(board)?;
    let models = std::slice::from_ref(&model);
    let request = arguments.on_board.request(models, u32::MAX)?;
    let mut line = arguments.serial.line(board, request.program.is_some())?;
    let outcome = with_progress(&request, |progress| match &mut line {
        Some(line) => run_over(line, board, &file, &request, progress),
        None => run_on(board, &file, &request, progress),
    })?;
    if let Some(difference) = outcome.first_difference(&model, &request)? {
        bail!(message(board, model.dim(), &difference));
    }
    let per_sample = model.dim() + usize::from(outcome.log_probs.is_some());
    let numbers = request.n as usize * per_sample;
    let mut report = Report::default();
    report.fact("board", board.name(), "board", board.description());
    report.fact("n", request.n, "samples", grouped(request.n as usize));
    let text = format!("{}, all with the bits of this computer", grouped(numbers));
    report.fact("numbers", numbers, "numbers", text);
    report.value("equal", true);
    Ok(report.print(arguments.on_board.json)?)
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
         build the firmware from this release; if it was, this is a fault in flowlet",
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
