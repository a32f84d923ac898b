//! Other programs.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Cargo in `folder`, with arguments parted by blanks.
pub(crate) fn cargo(folder: &Path, arguments: &str) -> Command {
    // Cargo names itself, so that a chosen toolchain stays the chosen one.
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command
        .args(arguments.split_whitespace())
        .current_dir(folder);
    command
}

/// Any program, with arguments parted by blanks.
pub(crate) fn program(name: &str, arguments: &str) -> Command {
    let mut command = Command::new(name);
    command.args(arguments.split_whitespace());
    command
}

/// Runs a command, telling which, to success.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = line(command);
    eprintln!("$ {line}");
    let status = command
        .status()
        .with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed with {status}");
    }
    Ok(())
}

/// What a command writes to its standard output, if it succeeds.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = line(command);
    let output = command
        .output()
        .with_context(|| format!("cannot start `{line}`"))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        bail!("`{line}` failed: {}", message.trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` answers in no UTF-8"))
}

/// The command as a person would type it in the root folder.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let arguments = command
        .get_args()
        .map(|argument| argument.to_string_lossy());
    let words: Vec<_> = std::iter::once(name.to_string_lossy())
        .chain(arguments)
        .collect();
    words.join(" ")
}
