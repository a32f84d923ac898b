//! Flash and RAM of the least firmware that samples a model.

use std::process::Command;

use anyhow::Result;

use crate::command::{cargo, run};
use crate::{setup, workspace};

/// Fails where it has grown beyond the table.
pub(crate) fn check() -> Result<()> {
    setup::setup()?;
    run(&mut measurement())
}

/// Writes the table anew.
pub(crate) fn bless() -> Result<()> {
    setup::setup()?;
    run(measurement().env("FLOWLET_BLESS", "1"))
}

fn measurement() -> Command {
    cargo(
        &workspace::root(),
        "test --quiet --locked --package flowlet-tests --test firmware_size -- --nocapture",
    )
}
