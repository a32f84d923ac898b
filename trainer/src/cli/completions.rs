//! `flowlet completions`.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::Cli;

/// Prints the completions of a shell
///
/// Put them where the shell looks for them, or load them in its start-up file.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowlet completions bash > ~/.local/share/bash-completion/completions/flowlet
  flowlet completions zsh > ~/.zfunc/_flowlet
  flowlet completions fish > ~/.config/fish/completions/flowlet.fish")]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    // `generate` panics where its output fails, as in a pipe that has closed.
    let mut script = Vec::new();
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    generate(arguments.shell, &mut command, name, &mut script);
    Ok(io::stdout().lock().write_all(&script)?)
}
