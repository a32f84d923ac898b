//! The header of the library for C.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::command::{output, program};
use crate::workspace;

/// Another version may write the same otherwise.
const VERSION: &str = "0.29.4";

/// Fails where the header is not what the source makes of it.
pub(crate) fn check() -> Result<()> {
    let found = fs::read_to_string(path()).context("cannot read the header")?;
    if found != written()? {
        bail!(
            "{} is not up to date: type `cargo xtask header --bless`",
            path().display()
        );
    }
    Ok(())
}

/// Writes the header anew.
pub(crate) fn bless() -> Result<()> {
    fs::write(path(), written()?).context("cannot write the header")
}

fn written() -> Result<String> {
    let version = output(&mut program("cbindgen", "--version")).unwrap_or_default();
    if !version.contains(VERSION) {
        bail!(
            "cbindgen {VERSION} is missing: type `cargo install cbindgen --locked --version {VERSION}`"
        );
    }
    let mut cbindgen = program("cbindgen", "--quiet --config cbindgen.toml .");
    output(cbindgen.current_dir(workspace::root().join("runtime").join("c")))
}

fn path() -> PathBuf {
    workspace::root().join("runtime/c/include/flowlet.h")
}
