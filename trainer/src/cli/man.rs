//! `flowlet man`.

use std::fs::create_dir_all;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use flowlet_trainer::output::write_whole;

use super::Cli;

/// Prints the manual page, or writes one for each command
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowlet man > flowlet.1
  flowlet man -o ~/.local/share/man/man1    then: man flowlet-train")]
pub(super) struct Arguments {
    /// A folder for flowlet.1 and the pages of the commands, flowlet-train.1 and so on; made where
    /// there is none
    #[arg(short, long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    match &arguments.output {
        None => Ok(io::stdout().lock().write_all(&page(command)?)?),
        Some(folder) => {
            create_dir_all(folder).with_context(|| format!("cannot write {}", folder.display()))?;
            write_pages(folder, &command)
        }
    }
}

/// Writes the page of the command, and one for each command under it.
fn write_pages(folder: &Path, command: &Command) -> anyhow::Result<()> {
    for command in [command].into_iter().chain(command.get_subcommands()) {
        let name = command.get_display_name().unwrap_or(command.get_name());
        let page = page(command.clone())?;
        write_whole(&folder.join(format!("{name}.1")), |file| {
            file.write_all(&page)
        })?;
    }
    Ok(())
}

fn page(command: Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    Ok(page)
}
