//! What the project does to itself: set-up, tests, checks.

mod bench;
mod command;
mod firmware;
mod fuzz;
mod header;
mod licences;
mod lint;
mod setup;
mod size;
mod test;
mod workspace;

use std::process::ExitCode;

const HELP: &str = "\
Usage: cargo xtask COMMAND

  setup       add the Rust targets, QEMU and the compiler of C that the boards need
  test        set up, then run all tests, those on emulated boards included; with --bless, write anew what
              they expect boards to say, and the tables of sizes
  lint        check formatting, clippy, docs, no_std builds, lock files and licences
  size        measure the least firmware on each board, and the examples: --check them against
              tests/firmware_size.csv and example_size.csv, which tests do too, or --bless them
              into those files
  header      write runtime/c/include/flowlet.h: --check it against the source, which lint does too,
              or --bless it; needs cbindgen
  bench NAME  build for release and measure: bits (equal on all boards, 10,000 samples), cost
              (what inspect estimates instructions from), data (rows a second from a table of a
              million, and memory), detectors (false alarms, beside scikit-learn's), device
              (instructions, stack and flash on each board), host (samples a second, beside
              JAX's), normal (the noise against its distribution, 100 million draws), train (steps
              a second, beside JAX's)
  fuzz [SECONDS]
              try random input on what reads bytes from outside, 60 seconds a target unless given:
              commands, frames, updates with power cuts, model files; needs Rust's nightly, cargo-fuzz
              and a C++ compiler";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        ["setup"] => setup::setup(),
        ["test"] => test::test(),
        ["test", "--bless"] => test::bless(),
        ["lint"] => lint::lint(),
        ["size", "--check"] => size::check(),
        ["size", "--bless"] => size::bless(),
        ["header", "--check"] => header::check(),
        ["header", "--bless"] => header::bless(),
        ["bench", name] => bench::bench(name),
        ["fuzz"] => fuzz::fuzz("60"),
        ["fuzz", seconds] => fuzz::fuzz(seconds),
        _ => {
            eprintln!(
                "there is no `cargo xtask {}`\n\n{HELP}",
                arguments.join(" ")
            );
            return ExitCode::FAILURE;
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
