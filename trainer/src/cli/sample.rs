//! `flowlet sample`.

use std::io;
use std::path::PathBuf;

use flowlet::Model;
use flowlet_trainer::data::table::{Table, write_csv};
use flowlet_trainer::inference::{noise, transport};
use flowlet_trainer::model_file::ModelFile;
use flowlet_trainer::output::write_whole;
use ndarray::Array2;

use super::draw::Draw;
use super::numbers::{MOST, count};
use super::{check_apart, context};

/// Draws samples from a model
///
/// The same seed gives the same samples, on this computer and on a board.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowlet sample moons.flow -n 1000 -o samples.csv
  flowlet sample moons.flow --latents noise.csv    compare with another framework, row by row
  flowlet sample imu.flow --context activity=walking")]
pub(super) struct Arguments {
    /// The model file
    model: PathBuf,
    /// Number of samples
    #[arg(
        short,
        long,
        default_value_t = 1000,
        value_name = "N",
        value_parser = count::<usize>(1..=MOST),
        allow_negative_numbers = true
    )]
    n: usize,
    #[command(flatten)]
    draw: Draw,
    /// Map these noise rows (CSV or NPY) instead of drawing; a context's numbers are the last columns
    #[arg(long, value_name = "FILE", conflicts_with_all = ["n", "seed", "context"])]
    latents: Option<PathBuf>,
    /// Where to write the samples as CSV; standard output unless given
    #[arg(short, long, value_name = "FILE.csv")]
    output: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let read = [
        Some(arguments.model.as_path()),
        arguments.latents.as_deref(),
    ];
    check_apart(&read, &[arguments.output.as_deref()])?;
    let file = ModelFile::read(&arguments.model)?;
    let model = file.model()?;
    arguments.draw.check_steps(&model)?;
    let (noise, context) = noise_and_context(&model, arguments)?;
    let samples = transport(&model, &noise, &context, arguments.draw.steps)?;
    let labels: Vec<String> = model.labels().take(model.dim()).map(Into::into).collect();
    match &arguments.output {
        Some(path) => write_whole(path, |file| write_csv(file, &labels, samples.view()))?,
        None => write_csv(&mut io::stdout().lock(), &labels, samples.view())?,
    }
    Ok(())
}

fn noise_and_context(
    model: &Model<'_>,
    arguments: &Arguments,
) -> anyhow::Result<(Array2<f32>, Array2<f32>)> {
    if let Some(path) = &arguments.latents {
        let rows = Table::read(path)?.matching(&[], model.dim(), model.context_dim())?;
        return Ok((rows.points, rows.context));
    }
    let context = arguments.draw.context(model)?;
    Ok((
        noise(arguments.n, model.dim(), arguments.draw.seed),
        context::repeated(&context, arguments.n),
    ))
}
