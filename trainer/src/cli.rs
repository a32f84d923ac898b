//! The command line: one file a command.

mod boards;
mod calibrate;
mod calibration;
mod compare;
mod completions;
mod context;
mod draw;
mod evaluate;
mod flash;
mod import;
mod inspect;
mod log;
mod man;
mod monitor;
mod numbers;
mod on_board;
mod plot;
mod quality;
mod quantize;
mod report;
mod run;
mod sample;
mod score;
mod serial;
mod summary;
mod tables;
mod train;
mod update;
mod verify;

use std::io;
use std::path::Path;
use std::process::ExitCode;

use anyhow::ensure;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use train::interrupt::{INTERRUPTED, Interrupted};

/// Puts generative flows on microcontrollers.
///
/// `train` fits a RealNVP or a flow-matching model to a table of numbers and writes one small file.
/// The runtime crate `flowlet` draws samples from that file, and gives log-probabilities, on a board
/// as on this computer, with the same bits.
#[derive(Debug, Parser)]
#[command(
    name = "flowlet",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
#[command(after_help = "Example, from data to a board:
  flowlet train moons -o moons.flow --plot moons.png
  flowlet sample moons.flow -n 1000 -o samples.csv
  flowlet run moons.flow --board qemu-m4")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Train(Box<train::Arguments>),
    Sample(sample::Arguments),
    Score(score::Arguments),
    Calibrate(calibrate::Arguments),
    Evaluate(evaluate::Arguments),
    Inspect(inspect::Arguments),
    Compare(compare::Arguments),
    Import(import::Arguments),
    Quantize(quantize::Arguments),
    Run(run::Arguments),
    Verify(verify::Arguments),
    Flash(flash::Arguments),
    Monitor(monitor::Arguments),
    Update(update::Arguments),
    Boards(boards::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// How the numbers of the nets are stored.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Precision {
    /// 8-bit weights, 16-bit activations: small, and quick without an FPU
    Int8,
    /// 32-bit floating point
    F32,
}

/// Parses `COLUMN=VALUE`.
fn filter(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').ok_or("write COLUMN=VALUE")?;
    Ok((parts.0.trim().into(), parts.1.trim().into()))
}

/// Runs the command that the arguments ask for.
pub(crate) fn run() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let outcome = match cli.command {
        Command::Train(arguments) => {
            let matches = matches
                .subcommand()
                .expect("the command has just been found");
            train::run(&arguments, matches.1)
        }
        Command::Sample(arguments) => sample::run(&arguments),
        Command::Score(arguments) => score::run(&arguments),
        Command::Calibrate(arguments) => calibrate::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Quantize(arguments) => quantize::run(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Flash(arguments) => flash::run(&arguments),
        Command::Monitor(arguments) => monitor::run(&arguments),
        Command::Update(arguments) => update::run(&arguments),
        Command::Boards(arguments) => boards::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => man::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) if error.is::<Interrupted>() => INTERRUPTED.into(),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether whoever read the output has read enough, as `head` does.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref());
    causes.any(|cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// That no file is written over one that is read, or over another that is written.
fn check_apart(read: &[Option<&Path>], written: &[Option<&Path>]) -> anyhow::Result<()> {
    let written: Vec<&Path> = written.iter().copied().flatten().collect();
    for (i, path) in written.iter().enumerate() {
        let mut others = read.iter().flatten().chain(&written[..i]);
        ensure!(
            !others.any(|other| is_same_file(path, other)),
            "{} would be written over another file of this command: choose another name",
            path.display()
        );
    }
    Ok(())
}

/// Whether both names lead to one regular file, or are the same name.
fn is_same_file(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b && a.is_file(),
        _ => a == b,
    }
}
