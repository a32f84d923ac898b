//! The workspaces of the repository.

use std::path::{Path, PathBuf};

/// The one that all packages for the host are in.
pub(crate) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package
        .parent()
        .expect("the package lies in the workspace")
        .into()
}

/// The one for microcontrollers.
pub(crate) fn firmware() -> PathBuf {
    root().join("firmware-examples")
}

/// The one with what random input is tried on.
pub(crate) fn fuzz() -> PathBuf {
    root().join("tests").join("fuzz")
}

/// All, since no cargo command reaches from one into another.
pub(crate) fn all() -> [PathBuf; 3] {
    [root(), firmware(), fuzz()]
}
