//! Packages of this workspace, built: cargo tells no test where another package's programs are.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::command::run;

/// What of a package is built.
#[derive(Clone, Copy, Debug)]
pub enum Output<'a> {
    /// A program.
    Program(&'a str),
    /// The shared library, for programs in C.
    Library,
    /// The static library, for programs in C; for a board, where its target is given.
    StaticLibrary(Option<&'a str>),
}

/// Builds `package` in the profile of the tests, which have most of it built already; gives the path
/// of what is built.
///
/// # Panics
///
/// If the build fails.
pub fn build(package: &str, output: Output<'_>) -> PathBuf {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name(""))
        .args(["build", "--locked", "--package", package])
        .args(["--message-format", "json"]);
    match output {
        Output::Program(name) => cargo.args(["--bin", name]),
        Output::Library | Output::StaticLibrary(None) => cargo.arg("--lib"),
        Output::StaticLibrary(Some(target)) => cargo.args(["--lib", "--target", target]),
    };
    let is_for_board = matches!(output, Output::StaticLibrary(Some(_)));
    if is_for_board || !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let answer = run(&mut cargo);
    let error = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "{error}");
    let messages = String::from_utf8_lossy(&answer.stdout);
    let mut built = messages
        .lines()
        .filter_map(|message| serde_json::from_str(message).ok());
    let path = built.find_map(|message: Value| match output {
        Output::Program(_) => path(&message["executable"]),
        Output::Library => library(&message, "cdylib"),
        Output::StaticLibrary(_) => library(&message, "staticlib"),
    });
    path.expect("cargo names what it has built")
}

fn library(message: &Value, kind: &str) -> Option<PathBuf> {
    let kinds = message["target"]["kind"].as_array()?;
    let is_it = kinds.iter().any(|found| found == kind);
    is_it.then(|| path(&message["filenames"][0]))?
}

fn path(value: &Value) -> Option<PathBuf> {
    value.as_str().map(PathBuf::from)
}
