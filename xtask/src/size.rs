//! Flash and RAM of the least firmware that samples a model, and of the examples on all boards.

use std::process::Command;

use anyhow::Result;

use crate::command::{cargo, run};
use crate::{setup, workspace};

/// Fails where one is not what its table tells.
pub(crate) fn check() -> Result<()> {
    setup::setup()?;
    MEASUREMENTS
        .iter()
        .try_for_each(|test| run(&mut measurement(test)))
}

/// Writes the tables anew, and those that a README has.
pub(crate) fn bless() -> Result<()> {
    setup::setup()?;
    let mut tests = MEASUREMENTS.iter();
    tests.try_for_each(|test| run(measurement(test).env("FLOWLET_BLESS", "1")))
}

/// The tests that measure; each has a table.
const MEASUREMENTS: [&str; 2] = ["firmware_size", "silicon"];

fn measurement(test: &str) -> Command {
    cargo(
        &workspace::root(),
        &format!("test --quiet --locked --package flowlet-tests --test {test} -- --nocapture"),
    )
}
