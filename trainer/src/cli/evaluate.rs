//! `flowlet evaluate`.

use std::num::NonZeroU16;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use flowlet::Model;
use flowlet_trainer::data::Dataset;
use flowlet_trainer::data::toy::ToySet;
use flowlet_trainer::evaluation::{Evaluation, POINTS, Reference};
use flowlet_trainer::model_file::ModelFile;

use super::draw::check_steps;
use super::filter;
use super::numbers::{MOST, count, step_count};
use super::quality::{Form, add_quality};
use super::report::Report;
use super::summary::{kind_name, precision_name};
use super::tables::{self, Reading};

/// Tells how good a model is
///
/// The negative log-likelihood of the data, and how far samples are from it: sliced Wasserstein-2 and
/// energy distance, squared MMD, and how often a classifier tells samples from data (C2ST). Each figure
/// stands beside its noise floor, which is what a perfect model would reach: for a toy set, that of
/// independent points of the law itself; for a table, that of one half of the rows beside the other.
/// All is in standardized space.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowlet evaluate moons.flow moons
  flowlet evaluate moons.flow moons --against moons-f32.flow
  flowlet evaluate walking.flow test.csv --where activity=walking --train train.csv")]
pub(super) struct Arguments {
    /// The model file
    model: PathBuf,
    /// A toy set (moons, circles, gaussians), or a table that the model has not seen: a CSV or NPY
    /// file, or - for standard input
    data: String,
    /// Another model to stand beside it, such as the same one in f32
    #[arg(long, value_name = "FILE.flow")]
    against: Option<PathBuf>,
    /// The table that the model was trained on: a single Gaussian and a mixture of Gaussians are fitted
    /// to its rows and stand beside the model
    #[arg(long, value_name = "FILE")]
    train: Option<PathBuf>,
    /// Only rows where the column has this value, of both tables; where all do, if given again
    #[arg(long = "where", value_name = "COLUMN=VALUE", value_parser = filter)]
    filters: Vec<(String, String)>,
    #[command(flatten)]
    reading: Reading,
    /// Points of a toy set, and samples to compare with them
    #[arg(
        long,
        value_name = "N",
        value_parser = count::<usize>(20..=MOST),
        allow_negative_numbers = true
    )]
    samples: Option<usize>,
    /// Euler steps of flow-matching models, instead of their own
    #[arg(long, value_name = "N", value_parser = step_count(), allow_negative_numbers = true)]
    steps: Option<NonZeroU16>,
    /// Seed of fresh points, samples and baselines
    #[arg(long, default_value_t = 1, allow_negative_numbers = true)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let set = ToySet::from_name(&arguments.data);
    check_options(arguments, set)?;
    let file = ModelFile::read(&arguments.model)?;
    let model = file.model()?;
    let other = arguments
        .against
        .as_deref()
        .map(ModelFile::read)
        .transpose()?;
    let other = other.as_ref().map(ModelFile::model).transpose()?;
    if other
        .as_ref()
        .is_none_or(|other| check_steps(arguments.steps, other).is_err())
    {
        check_steps(arguments.steps, &model)?;
    }
    ensure!(
        arguments.train.is_none() || model.real_nvp().is_ok(),
        "--train is for models with log-probabilities, which flow matching has not: leave it out"
    );

    let cannot = || format!("cannot evaluate {}", arguments.model.display());
    let reference = reference(arguments, set, &model)?;
    let evaluation = reference
        .evaluate(&model, steps(arguments, &model))
        .with_context(cannot)?;
    let beside = other
        .as_ref()
        .map(|other| beside(arguments, &reference, other));
    let beside = beside.transpose()?;
    let training = arguments.train.as_deref();
    let training = training
        .map(|path| rows(path, arguments, &model))
        .transpose()?;
    let baselines = training.map(|rows| reference.baselines(&rows.points, arguments.seed));

    let mut report = Report::default();
    report.fact("name", model.name(), "name", model.name());
    report.value("precision", precision_name(&model));
    let kind = format!("{}, {}", kind_name(&model), precision_name(&model));
    report.fact("kind", kind_name(&model), "kind", kind);
    let names = names(&model, other.as_ref());
    let evaluations = std::iter::once(&evaluation).chain(&beside);
    let forms: Vec<Form<'_>> = names
        .into_iter()
        .zip(evaluations)
        .map(|(name, evaluation)| Form { name, evaluation })
        .collect();
    let points = match set {
        Some(set) => format!("fresh points of {}", set.name()),
        None => format!("rows of {}", file_name(&arguments.data)),
    };
    add_quality(&mut report, &reference, &forms, baselines.as_ref(), &points);
    Ok(report.print(arguments.json)?)
}

fn check_options(arguments: &Arguments, set: Option<ToySet>) -> anyhow::Result<()> {
    if let Some(set) = set {
        ensure!(
            arguments.filters.is_empty()
                && arguments.train.is_none()
                && !arguments.reading.drop_missing,
            "--where, --train and --drop-missing are for tables, {} is a toy set",
            set.name()
        );
    } else {
        ensure!(
            arguments.samples.is_none(),
            "--samples is for toy sets: a table has the rows that it has"
        );
        ensure!(
            arguments.data != "-" || arguments.train.as_deref() != Some(Path::new("-")),
            "standard input holds one table: name the file of the other"
        );
    }
    Ok(())
}

fn reference(
    arguments: &Arguments,
    set: Option<ToySet>,
    model: &Model<'_>,
) -> anyhow::Result<Reference> {
    let seed = arguments.seed;
    let Some(set) = set else {
        let data = rows(Path::new(&arguments.data), arguments, model)?;
        return Ok(Reference::of_table(data, model, seed));
    };
    let (dim, context_dim) = (model.dim(), model.context_dim());
    ensure!(
        (dim, context_dim) == (2, 0),
        "{} has 2 dimensions and no context, the model has {dim} dimensions and {context_dim} context \
         numbers: give a table",
        set.name()
    );
    let count = arguments.samples.unwrap_or(POINTS);
    Ok(Reference::of_toy_set(set, count, model, seed))
}

/// The rows of a table that the model reads.
fn rows(path: &Path, arguments: &Arguments, model: &Model<'_>) -> anyhow::Result<Dataset> {
    tables::check_is_file(path)?;
    let labels: Vec<&str> = model.labels().collect();
    let (dim, context_dim) = (model.dim(), model.context_dim());
    let table = arguments.reading.open(path)?;
    let selected = table.select_matching(&arguments.filters, &labels, dim, context_dim)?;
    Ok(tables::data(selected, path))
}

fn beside(
    arguments: &Arguments,
    reference: &Reference,
    other: &Model<'_>,
) -> anyhow::Result<Evaluation> {
    let path = arguments.against.as_deref().unwrap_or(Path::new(""));
    let cannot = || format!("cannot hold {} against the same points", path.display());
    let steps = steps(arguments, other);
    reference.evaluate(other, steps).with_context(cannot)
}

/// The steps that are asked for, if the model takes any.
fn steps(arguments: &Arguments, model: &Model<'_>) -> Option<NonZeroU16> {
    let steps = arguments.steps;
    steps.filter(|_| check_steps(steps, model).is_ok())
}

/// Without the folder.
fn file_name(path: &str) -> String {
    let name = Path::new(path).file_name().unwrap_or(path.as_ref());
    name.to_string_lossy().into()
}

/// What tells the models apart: their precision, if it does.
fn names(model: &Model<'_>, other: Option<&Model<'_>>) -> [&'static str; 2] {
    let name = precision_name(model);
    match other.map(precision_name) {
        Some(other) if other == name => ["model", "against"],
        Some(other) => [name, other],
        None => [name, ""],
    }
}
