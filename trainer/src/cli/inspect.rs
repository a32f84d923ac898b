//! `flowlet inspect`.

use std::path::PathBuf;

use flowlet_trainer::model_file::ModelFile;

use super::report::Report;
use super::summary::add_model;

/// Checks a model file and tells what it holds and needs
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  flowlet inspect moons.flow")]
pub(super) struct Arguments {
    /// The model file
    model: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let file = ModelFile::read(&arguments.model)?;
    let mut report = Report::default();
    add_model(&mut report, &file.model()?, file.bytes().len());
    Ok(report.print(arguments.json)?)
}
