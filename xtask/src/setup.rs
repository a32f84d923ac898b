//! What must be installed.

use anyhow::{Context, Result, bail};
use std::path::Path;

use crate::command::{output, program, run};
use crate::firmware::BOARDS;

/// A program of QEMU and the package that Debian has it in.
struct Emulator {
    program: &'static str,
    package: &'static str,
}

const EMULATORS: [Emulator; 2] = [
    Emulator {
        program: "qemu-system-arm",
        package: "qemu-system-arm",
    },
    Emulator {
        program: "qemu-system-riscv32",
        package: "qemu-system-misc",
    },
];

/// Adds the targets and the emulators, where they are missing.
pub(crate) fn setup() -> Result<()> {
    targets()?;
    emulators()
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

fn emulators() -> Result<()> {
    let missing: Vec<_> = EMULATORS
        .iter()
        .filter(|emulator| !emulator.is_there())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = missing.iter().map(|emulator| emulator.package).collect();
    let programs: Vec<_> = missing.iter().map(|emulator| emulator.program).collect();
    let (packages, programs) = (packages.join(" "), programs.join(" and "));
    // Without what they recommend: displays, which no test has use for.
    let install = format!("install -y --no-install-recommends {packages}");
    let missing = format!("{programs} missing");
    if cfg!(target_os = "macos") {
        bail!("{missing}: type `brew install qemu`");
    }
    if output(&mut program("apt-get", "--version")).is_err() {
        bail!("{missing}: install QEMU 7.2 or newer");
    }
    if !is_root() {
        bail!("{missing}: type `sudo apt-get update && sudo apt-get {install}`");
    }
    run(&mut program("apt-get", "update"))
        .and_then(|()| run(&mut program("apt-get", &install)))
        .with_context(|| format!("{missing}: install QEMU 7.2 or newer"))
}

impl Emulator {
    fn is_there(&self) -> bool {
        output(&mut program(self.program, "--version")).is_ok()
    }
}

fn is_root() -> bool {
    output(&mut program("id", "-u")).is_ok_and(|id| id.trim_end() == "0")
}
