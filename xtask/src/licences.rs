//! Whose terms the dependencies come under.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use spdx::{Expression, ParseMode};

use crate::command::{cargo, output};
use crate::workspace;

/// Licences that ask for no more than their notice; a dependency needs one of its choices here.
const ALLOWED: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    // And that no one uses the authors' names to praise what they did not make.
    "BSD-3-Clause",
    "ISC",
    "MIT",
    // For libFuzzer, which is in no program that is given away.
    "NCSA",
    // For a font: one may embed it in a program, not sell it by itself.
    "OFL-1.1",
    // The same, for a font that comes along with the one that is drawn with.
    "Ubuntu-font-1.0",
    "Unicode-3.0",
    "Zlib",
];

/// Checks all dependencies of all workspaces, on whatever target they are used.
pub(crate) fn check() -> Result<()> {
    let mut refused = Vec::new();
    let mut count = 0;
    for folder in workspace::all() {
        // Fails where the lock file is not up to date. A board's packages are behind its feature.
        let metadata = output(&mut cargo(
            &folder,
            "metadata --format-version 1 --locked --all-features",
        ))?;
        let metadata: Value =
            serde_json::from_str(&metadata).context("cannot read what `cargo metadata` says")?;
        let packages = metadata["packages"]
            .as_array()
            .context("`cargo metadata` names no packages")?;
        count += packages.len();
        refused.extend(packages.iter().filter_map(refusal));
    }
    if !refused.is_empty() {
        bail!("{}\nallowed are {}", refused.join("\n"), ALLOWED.join(", "));
    }
    eprintln!("licences: {count} packages, all allowed");
    Ok(())
}

/// Why a package cannot be used, if so.
fn refusal(package: &Value) -> Option<String> {
    let name = format!("{} {}", text(&package["name"]), text(&package["version"]));
    match package["license"].as_str() {
        None => Some(format!("{name} names no licence")),
        Some(expression) => match is_allowed(expression) {
            Ok(true) => None,
            Ok(false) => Some(format!("{name} comes under {expression}")),
            Err(error) => Some(format!("{name} has the licence {expression:?}: {error}")),
        },
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}

/// Whether the SPDX expression can be met by allowed licences alone.
fn is_allowed(expression: &str) -> Result<bool, String> {
    // Old packages write `MIT/Apache-2.0`.
    let mode = ParseMode {
        allow_slash_as_or_operator: true,
        ..ParseMode::STRICT
    };
    let expression = Expression::parse_mode(expression, mode).map_err(|e| e.reason.to_string())?;
    Ok(expression.evaluate(|term| ALLOWED.contains(&term.to_string().as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_allowed_choice_is_enough() {
        for expression in [
            "MIT",
            "MIT OR GPL-3.0-only",
            "MIT/Apache-2.0",
            "Apache-2.0 / MIT",
            "(GPL-3.0-only OR MIT) AND Zlib",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert_eq!(is_allowed(expression), Ok(true), "{expression}");
        }
    }

    #[test]
    fn every_term_that_is_due_must_be_allowed() {
        for expression in [
            "GPL-3.0-only",
            "MIT AND GPL-3.0-only",
            "(MIT OR Zlib) AND MPL-2.0",
            "MIT WITH LLVM-exception",
            "GPL-2.0-only WITH Classpath-exception-2.0",
        ] {
            assert_eq!(is_allowed(expression), Ok(false), "{expression}");
        }
    }

    #[test]
    fn what_is_no_licence_is_refused() {
        assert!(is_allowed("free for all").is_err());
        let package = serde_json::json!({"name": "x", "version": "1.0.0", "license": null});
        assert_eq!(
            refusal(&package).as_deref(),
            Some("x 1.0.0 names no licence")
        );
    }
}
