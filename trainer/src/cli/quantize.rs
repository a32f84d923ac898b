//! `flowlet quantize`.

use std::path::PathBuf;

use flowlet_trainer::model_file::ModelFile;
use flowlet_trainer::output::check_writable;
use flowlet_trainer::read_back::read_back;

use super::calibration::Calibration;
use super::check_apart;
use super::report::Report;
use super::summary::add_model;

/// Turns a model file of f32 nets into one of int8 nets
///
/// Weights become 8-bit integers and activations 16-bit ones, scaled so that they do well on rows like
/// those that the model will see. Tells what is lost.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowlet quantize moons.flow -o moons8.flow
  flowlet quantize imu.flow --data imu.csv --where activity=walking -o imu8.flow")]
pub(super) struct Arguments {
    /// The model file, in f32
    model: PathBuf,
    /// Where to write the model file in int8
    #[arg(short, long, value_name = "FILE.flow")]
    output: PathBuf,
    #[command(flatten)]
    calibration: Calibration,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let read = [
        Some(arguments.model.as_path()),
        arguments.calibration.path(),
    ];
    check_apart(&read, &[Some(&arguments.output)])?;
    check_writable(&arguments.output)?;
    let flow = read_back(&ModelFile::read(&arguments.model)?)?;
    let mut loss = Report::default();
    let file = arguments.calibration.quantize(&flow, &mut loss)?;
    file.write(&arguments.output)?;
    let mut report = Report::default();
    add_model(&mut report, &file.model()?, file.bytes().len());
    report.append(loss);
    Ok(report.print(arguments.json)?)
}
