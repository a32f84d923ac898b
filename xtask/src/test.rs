//! All tests.

use anyhow::Result;

use crate::command::{cargo, run};
use crate::{setup, workspace};

/// Sets up, then runs what must pass.
pub(crate) fn test() -> Result<()> {
    run_all(None)
}

/// Likewise, and writes anew what is expected of boards.
pub(crate) fn bless() -> Result<()> {
    run_all(Some("1"))
}

fn run_all(bless: Option<&str>) -> Result<()> {
    setup::setup()?;
    let mut tests = cargo(
        &workspace::root(),
        "test --workspace --locked --no-fail-fast",
    );
    run(tests.envs(bless.map(|value| ("FLOWLET_BLESS", value))))?;
    // The examples themselves run on the boards, in the tests above.
    run(&mut cargo(
        &workspace::firmware(),
        "test --package support --locked",
    ))
}
