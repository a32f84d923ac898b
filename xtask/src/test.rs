//! All tests.

use anyhow::Result;

use crate::command::{cargo, run};
use crate::{setup, workspace};

/// Sets up, then runs what must pass.
pub(crate) fn test() -> Result<()> {
    setup::setup()?;
    run(&mut cargo(
        &workspace::root(),
        "test --workspace --locked --no-fail-fast",
    ))?;
    // The examples themselves run on the boards, in the tests above.
    run(&mut cargo(
        &workspace::firmware(),
        "test --package support --locked",
    ))
}
