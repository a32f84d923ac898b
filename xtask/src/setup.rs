//! What must be installed.

use anyhow::{Context, Result, bail};
use std::path::Path;

use crate::command::{output, program, run};
use crate::firmware::BOARDS;

const EMULATOR: &str = "qemu-system-arm";

/// Adds the targets and the emulator, where they are missing.
pub(crate) fn setup() -> Result<()> {
    targets()?;
    emulator()
}

/// Adds Rust's targets for the boards.
pub(crate) fn targets() -> Result<()> {
    for board in BOARDS {
        if !has_target(board.target)? {
            run(&mut program(
                "rustup",
                &format!("target add {}", board.target),
            ))
            .with_context(|| format!("the Rust target {} is missing", board.target))?;
        }
    }
    Ok(())
}

/// Whether rustc has the target's libraries, however they were installed.
fn has_target(target: &str) -> Result<bool> {
    let folder = output(&mut program(
        "rustc",
        &format!("--print target-libdir --target {target}"),
    ))?;
    Ok(Path::new(folder.trim_end()).is_dir())
}

fn emulator() -> Result<()> {
    if has_emulator() {
        return Ok(());
    }
    // Without what it recommends: displays, which no test has use for.
    let install = format!("apt-get install -y --no-install-recommends {EMULATOR}");
    if cfg!(target_os = "macos") {
        bail!("{EMULATOR} is missing: type `brew install qemu`");
    }
    if output(&mut program("apt-get", "--version")).is_err() {
        bail!("{EMULATOR} is missing: install QEMU 7.2 or newer");
    }
    if !is_root() {
        bail!("{EMULATOR} is missing: type `sudo apt-get update && sudo {install}`");
    }
    run(&mut program("apt-get", "update"))
        .and_then(|()| run(&mut program("apt-get", &install["apt-get ".len()..])))
        .with_context(|| format!("{EMULATOR} is missing: install QEMU 7.2 or newer"))
}

fn has_emulator() -> bool {
    output(&mut program(EMULATOR, "--version")).is_ok()
}

fn is_root() -> bool {
    output(&mut program("id", "-u")).is_ok_and(|id| id.trim_end() == "0")
}
