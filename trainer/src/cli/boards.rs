//! `flowlet boards`.

use flowlet_trainer::board::Board;
use serde_json::{Value, json};

use super::report::Report;

/// Tells which boards there are, and what this computer lacks to run models on them
///
/// Flash and RAM are all of the board; a model may take as much as the column MODEL tells.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  flowlet boards")]
pub(super) struct Arguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut report = Report::default();
    let head = [
        "board",
        "core",
        "flash",
        "RAM",
        "model",
        "random source",
        "runs in",
    ];
    let mut rows = vec![head.map(String::from)];
    let mut values: Vec<Value> = vec![];
    let mut missing: Vec<String> = vec![];
    for board in Board::ALL {
        let memory = board.memory();
        let lacking: Vec<_> = board.missing().iter().map(ToString::to_string).collect();
        rows.push([
            board.name().into(),
            board.core().into(),
            kilobytes(memory.flash),
            kilobytes(memory.ram),
            kilobytes(board.model_len()),
            board.random_source().into(),
            board.runs_in(),
        ]);
        values.push(json!({
            "board": board.name(),
            "core": board.core(),
            "target": board.target(),
            "flash": memory.flash,
            "ram": memory.ram,
            "model_start": board.model_region().start,
            "model_len": board.model_len(),
            "random_source": board.random_source(),
            "runs_in": board.runs_in(),
            "missing": lacking,
        }));
        missing.extend(lacking.iter().map(|what| format!("{board}: {what}")));
    }
    report.table(&rows);
    report.value("boards", values);
    report.print(arguments.json)?;
    if !arguments.json {
        println!();
        match &missing[..] {
            [] => println!("Nothing is missing on this computer to use them."),
            missing => missing
                .iter()
                .for_each(|line| println!("missing for {line}")),
        }
    }
    Ok(())
}

fn kilobytes(len: usize) -> String {
    format!("{} KB", len >> 10)
}
