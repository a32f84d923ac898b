//! Benchmarks.
//!
//! Each is a target of its own in `tests/benches`, since what it measures must be built with
//! optimization and this program need not be.

use anyhow::{Context, Result, bail};

use crate::command::{cargo, run};
use crate::workspace;

/// Builds the benchmark of that name for release and runs it.
pub(crate) fn bench(name: &str) -> Result<()> {
    let known = names()?;
    if !known.iter().any(|known| known == name) {
        bail!(
            "there is no benchmark {name:?}, there are {}",
            known.join(", ")
        );
    }
    run(&mut cargo(
        &workspace::root(),
        &format!("bench --quiet --locked --package flowlet-tests --bench {name}"),
    ))
}

/// The names of all benchmarks, in order.
fn names() -> Result<Vec<String>> {
    let folder = workspace::root().join("tests").join("benches");
    let entries = folder
        .read_dir()
        .with_context(|| format!("cannot read {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let is_target =
            path.join("main.rs").exists() || path.extension().is_some_and(|e| e == "rs");
        let name = path.file_stem().filter(|_| is_target);
        names.extend(name.map(|name| name.to_string_lossy().into()));
    }
    names.sort_unstable();
    Ok(names)
}
