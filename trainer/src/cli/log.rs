//! `--log`.

use anyhow::ensure;
use flowlet_trainer::board::{Board, Level, Log};

/// What firmware logs, on standard error.
#[derive(Debug, clap::Args)]
pub(super) struct Logged {
    #[arg(
        long,
        help = format!("Show what the firmware logs, by LEVEL: {}; info unless given", levels()),
        value_name = "LEVEL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "info",
        value_parser = level
    )]
    pub(super) log: Option<Level>,
}

impl Logged {
    /// The log, if it is asked for.
    pub(super) fn log(&self) -> Option<Log> {
        let show = |line: &str| eprintln!("log {line}");
        self.log.map(|level| Log::new(level, show))
    }

    /// That it is not asked for, of a board that logs beside its serial line.
    pub(super) fn check_absent(&self, board: Board) -> anyhow::Result<()> {
        ensure!(
            self.log.is_none() || board.is_emulated(),
            "what {board} logs comes by its debug probe: leave out --log, and see it by `flowlet monitor --log`"
        );
        Ok(())
    }
}

/// Parses a level's name.
pub(super) fn level(name: &str) -> Result<Level, String> {
    let found = Level::ALL.into_iter().find(|level| level.name() == name);
    found.ok_or_else(|| format!("choose {}", levels()))
}

/// The levels' names.
pub(super) fn levels() -> String {
    let [first @ .., last] = Level::ALL.map(Level::name);
    format!("{} or {last}", first.join(", "))
}
