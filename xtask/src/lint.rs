//! All checks that need no test.

use anyhow::Result;

use crate::command::{cargo, run};
use crate::firmware::BOARDS;
use crate::{header, licences, setup, workspace};

/// The smallest target: what builds there needs no `std` and no atomic compare-and-swap.
const SMALLEST_TARGET: &str = "thumbv6m-none-eabi";

/// Checks everything, one workspace after another.
pub(crate) fn lint() -> Result<()> {
    setup::targets()?;
    formatting()?;
    runtime_without_std()?;
    protocol_without_std()?;
    host_packages()?;
    firmware()?;
    fuzz_targets()?;
    c_library()?;
    header::check()?;
    licences::check()
}

fn formatting() -> Result<()> {
    for folder in workspace::all() {
        run(&mut cargo(&folder, "fmt --all --check"))?;
    }
    Ok(())
}

/// Alone, since `--workspace` switches on what other packages ask for.
fn runtime_without_std() -> Result<()> {
    for features in ["", "--features f32", "--features defmt"] {
        let package = "--package flowlet --no-default-features --locked";
        run(&mut cargo(
            &workspace::root(),
            &format!("build {package} --target {SMALLEST_TARGET} {features}"),
        ))?;
        run(&mut cargo(
            &workspace::root(),
            &format!("clippy {package} --target {SMALLEST_TARGET} {features} -- -D warnings"),
        ))?;
    }
    Ok(())
}

fn protocol_without_std() -> Result<()> {
    for features in ["", "--features defmt"] {
        let package = "--package flowlet-protocol --locked";
        run(&mut cargo(
            &workspace::root(),
            &format!("clippy {package} --target {SMALLEST_TARGET} {features} -- -D warnings"),
        ))?;
    }
    Ok(())
}

fn host_packages() -> Result<()> {
    let root = workspace::root();
    run(&mut cargo(
        &root,
        "clippy --workspace --all-targets --locked -- -D warnings",
    ))?;
    // Libraries alone: the command `flowlet` would lay its page over that of the crate.
    run(cargo(&root, "doc --workspace --lib --no-deps --locked").env("RUSTDOCFLAGS", "-D warnings"))
}

/// As boards have it, without `std`; hosts have it with the host's packages.
fn c_library() -> Result<()> {
    run(&mut cargo(
        &workspace::root(),
        "clippy --package flowlet-c --locked --target thumbv7em-none-eabihf -- -D warnings",
    ))
}

/// With the compiler that everything is built with: only to run them needs another.
fn fuzz_targets() -> Result<()> {
    run(&mut cargo(
        &workspace::fuzz(),
        "clippy --all-targets --locked -- -D warnings",
    ))
}

fn firmware() -> Result<()> {
    let folder = workspace::firmware();
    run(&mut cargo(
        &folder,
        "clippy --package support --package embed --all-targets --locked -- -D warnings",
    ))?;
    for board in BOARDS {
        let build = format!(
            "{} --features {} --target {} --release --locked",
            board.packages, board.name, board.target
        );
        run(&mut cargo(
            &folder,
            &format!("clippy {build} -- -D warnings"),
        ))?;
        run(cargo(&folder, &format!("doc --no-deps {build}")).env("RUSTDOCFLAGS", "-D warnings"))?;
        if let Some(packages) = board.logging {
            let build = format!(
                "{packages} --features defmt,{} --target {} --release --locked",
                board.name, board.target
            );
            run(
                cargo(&folder, &format!("clippy {build} -- -D warnings")).env("DEFMT_LOG", "debug")
            )?;
        }
    }
    Ok(())
}
