//! What must be installed.

use anyhow::{Context, Result, bail};
use std::path::Path;

use crate::command::{output, program, run};
use crate::firmware::BOARDS;

/// A program and the package that Debian has it in.
struct Tool {
    program: &'static str,
    package: &'static str,
}

const TOOLS: [Tool; 3] = [
    Tool {
        program: "qemu-system-arm",
        package: "qemu-system-arm",
    },
    Tool {
        program: "qemu-system-riscv32",
        package: "qemu-system-misc",
    },
    // For the examples in C, with its library, which Debian has in a package of its own.
    Tool {
        program: "arm-none-eabi-gcc",
        package: "gcc-arm-none-eabi libnewlib-arm-none-eabi",
    },
];

/// Adds the targets, the emulators and the compiler of C for boards, where they are missing.
pub(crate) fn setup() -> Result<()> {
    targets()?;
    tools()
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

fn tools() -> Result<()> {
    let missing: Vec<_> = TOOLS.iter().filter(|tool| !tool.is_there()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = missing.iter().map(|tool| tool.package).collect();
    let programs: Vec<_> = missing.iter().map(|tool| tool.program).collect();
    let (packages, programs) = (packages.join(" "), programs.join(" and "));
    // Without what they recommend: displays, which no test has use for.
    let install = format!("install -y --no-install-recommends {packages}");
    let missing = format!("{programs} missing");
    if cfg!(target_os = "macos") {
        bail!("{missing}: type `brew install qemu` and `brew install --cask gcc-arm-embedded`");
    }
    if output(&mut program("apt-get", "--version")).is_err() {
        bail!("{missing}: install QEMU 7.2 or newer and Arm's GNU toolchain");
    }
    if !is_root() {
        bail!("{missing}: type `sudo apt-get update && sudo apt-get {install}`");
    }
    run(&mut program("apt-get", "update"))
        .and_then(|()| run(&mut program("apt-get", &install)))
        .with_context(|| format!("{missing}: install QEMU 7.2 or newer and Arm's GNU toolchain"))
}

impl Tool {
    fn is_there(&self) -> bool {
        output(&mut program(self.program, "--version")).is_ok()
    }
}

fn is_root() -> bool {
    output(&mut program("id", "-u")).is_ok_and(|id| id.trim_end() == "0")
}
