//! The serial port of a board.

use anyhow::{bail, ensure};
use flowlet_trainer::board::line::{BAUD_RATE, ports, there_are};
use flowlet_trainer::board::{Board, Line};

#[derive(Debug, clap::Args)]
pub(super) struct Serial {
    /// The serial port of a board of silicon
    #[arg(long, value_name = "PORT")]
    pub(super) port: Option<String>,
    /// Bits a second on the serial port, 115200 unless given; of no meaning where it is USB itself
    #[arg(long, value_name = "RATE")]
    baud: Option<u32>,
}

impl Serial {
    /// Bits a second.
    pub(super) fn baud(&self) -> u32 {
        self.baud.unwrap_or(BAUD_RATE)
    }

    /// The line to a board of silicon; none to one of QEMU's.
    pub(super) fn line(&self, board: Board, has_firmware: bool) -> anyhow::Result<Option<Line>> {
        match (&self.port, board.is_emulated()) {
            (None, true) => {
                ensure!(
                    self.baud.is_none(),
                    "{board} is emulated and has no port: leave out --baud"
                );
                Ok(None)
            }
            (Some(_), true) => bail!("{board} is emulated and has no port: leave out --port"),
            (Some(port), false) => {
                ensure!(
                    !has_firmware,
                    "{board} has its firmware: leave out --firmware, or write it by `flowlet flash`"
                );
                Ok(Some(Line::open(port, self.baud())?))
            }
            (None, false) => bail!("say where {board} is connected, with --port: {}", listed()),
        }
    }
}

/// The ports that there are, for a person to choose from.
pub(super) fn listed() -> String {
    there_are(&ports(), "there is no port, so plug in its USB cable")
}
