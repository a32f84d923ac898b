//! Random input for what reads bytes from outside.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::command::{output, program, run};
use crate::workspace;

/// What libFuzzer needs of Rust's compiler.
const TOOLCHAIN: &str = "nightly";

/// Fuzzes every target for so many seconds, from its seeds and what earlier runs have found.
pub(crate) fn fuzz(seconds: &str) -> Result<()> {
    let seconds: u32 = seconds
        .parse()
        .with_context(|| format!("{seconds:?} is no number of seconds"))?;
    check_tools()?;
    for target in targets()? {
        let folder = workspace::fuzz();
        let corpus = folder.join("corpus").join(&target);
        std::fs::create_dir_all(&corpus)
            .with_context(|| format!("cannot create {}", corpus.display()))?;
        let arguments = format!(
            "run {TOOLCHAIN} cargo fuzz run --fuzz-dir tests/fuzz {target} \
             tests/fuzz/corpus/{target} tests/fuzz/seeds/{target} \
             -- -max_total_time={seconds} -verbosity=0 -print_final_stats=1"
        );
        run(program("rustup", &arguments).current_dir(workspace::root()))?;
    }
    Ok(())
}

/// Says what is missing, and what installs it.
fn check_tools() -> Result<()> {
    let toolchain = format!("run {TOOLCHAIN} rustc --version");
    if output(&mut program("rustup", &toolchain)).is_err() {
        bail!("Rust's {TOOLCHAIN} is missing: type `rustup toolchain install {TOOLCHAIN}`");
    }
    let fuzzer = format!("run {TOOLCHAIN} cargo fuzz --version");
    if output(&mut program("rustup", &fuzzer)).is_err() {
        bail!("cargo-fuzz is missing: type `cargo install cargo-fuzz --locked`");
    }
    if output(&mut program("c++", "--version")).is_err() {
        bail!("a C++ compiler is missing, which libFuzzer is built with: install g++ or clang");
    }
    Ok(())
}

/// The names of all targets, in order.
fn targets() -> Result<Vec<String>> {
    let folder = workspace::fuzz().join("fuzz_targets");
    let entries = folder
        .read_dir()
        .with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names = vec![];
    for entry in entries {
        let path = entry?.path();
        let stem = path.file_stem().map(Path::new);
        names.extend(stem.map(|name| name.display().to_string()));
    }
    names.sort_unstable();
    Ok(names)
}
