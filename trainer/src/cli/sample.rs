//! `flowlet sample`.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::ensure;
use flowlet::Model;
use flowlet_trainer::data::table::{RowWriter, numbered_names};
use flowlet_trainer::inference::{Noise, transport};
use flowlet_trainer::model_file::ModelFile;
use flowlet_trainer::output::write_whole;
use ndarray::{Array2, s};

use super::draw::Draw;
use super::numbers::{MOST, count};
use super::tables::{self, Reading};
use super::{check_apart, context};

/// Samples in memory at a time: enough to keep all threads busy.
const BATCH: usize = 1 << 15;

/// Draws samples from a model
///
/// The same seed gives the same samples, on this computer and on a board.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowlet sample moons.flow -n 1000 -o samples.csv
  flowlet sample moons.flow --latents noise.csv    compare with another framework, row by row
  flowlet sample imu.flow --context walking")]
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
    /// Map these noise rows (CSV, NPY or -) instead of drawing; a context's numbers are the last columns
    #[arg(long, value_name = "FILE", conflicts_with_all = ["n", "seed", "context"])]
    latents: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
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
    ensure!(
        arguments.latents.is_some() || !arguments.reading.drop_missing,
        "--drop-missing is for the rows of --latents: leave it out, or give them"
    );
    let file = ModelFile::read(&arguments.model)?;
    let model = file.model()?;
    arguments.draw.check_steps(&model)?;
    let noise = noise(&model, arguments)?;
    match &arguments.output {
        Some(path) => write_whole(path, |file| write(file, &model, noise, arguments))?,
        None => write(&mut io::stdout().lock(), &model, noise, arguments)?,
    }
    Ok(())
}

/// Noise and contexts, a batch at a time.
type Batches = Box<dyn Iterator<Item = (Array2<f32>, Array2<f32>)>>;

fn noise(model: &Model<'_>, arguments: &Arguments) -> anyhow::Result<Batches> {
    if let Some(path) = &arguments.latents {
        let table = arguments.reading.open(path)?;
        let rows = table.select_matching(&[], &[], model.dim(), model.context_dim())?;
        let rows = tables::data(rows, path);
        let count = rows.points.nrows();
        let batch = move |start: usize| {
            let rows_of = |table: &Array2<f32>| {
                let end = table.nrows().min(start + BATCH);
                table.slice(s![start..end, ..]).to_owned()
            };
            (rows_of(&rows.points), rows_of(&rows.context))
        };
        return Ok(Box::new((0..count).step_by(BATCH).map(batch)));
    }
    let context = arguments.draw.context(model)?;
    let mut noise = Noise::new(model.dim(), arguments.draw.seed());
    let n = arguments.n;
    let batch = move |start| {
        let count = BATCH.min(n - start);
        (noise.rows(count), context::repeated(&context, count))
    };
    Ok(Box::new((0..n).step_by(BATCH).map(batch)))
}

/// Writes the samples as they come.
fn write(
    output: &mut dyn Write,
    model: &Model<'_>,
    noise: Batches,
    arguments: &Arguments,
) -> io::Result<()> {
    let mut labels: Vec<String> = model.labels().take(model.dim()).map(Into::into).collect();
    if labels.is_empty() {
        labels = numbered_names(model.dim());
    }
    let mut rows = RowWriter::new(output, &labels)?;
    for (noise, context) in noise {
        let samples = transport(model, &noise, &context, arguments.draw.steps);
        rows.write(samples.map_err(io::Error::other)?.view())?;
    }
    rows.finish()
}
