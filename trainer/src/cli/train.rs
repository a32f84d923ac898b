//! `flowlet train`.

mod config;
mod fitting;
pub(super) mod interrupt;
pub(super) mod progress;
mod trained;

use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::ensure;
use clap::{ArgMatches, ValueEnum};
use flowlet::Model;
use flowlet::format::{MAX_DEPTH, MAX_LAYER_COUNT, MAX_WIDTH};
use flowlet_trainer::data::Dataset;
use flowlet_trainer::data::table::Selection;
use flowlet_trainer::data::toy::ToySet;
use flowlet_trainer::evaluation::{Baselines, Evaluation, POINTS, Reference};
use flowlet_trainer::fit::{End, FitOptions, Fitted, ModelKind, Recipe};
use flowlet_trainer::flow::FlowKind;
use flowlet_trainer::inference::{noise, transport};
use flowlet_trainer::model_file::ModelFile;
use flowlet_trainer::output::check_writable;
use flowlet_trainer::step_count::{STEP_COUNTS, StepCount};
use ndarray::{Array2, Axis};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde_json::json;

use super::numbers::{MOST, count, learning_rate, step_count};
use super::plot;
use super::quality::{Form, add_quality};
use super::report::Report;
use super::summary::{add_model, precision_name};
use super::tables::{self, Reading, items};
use super::{Precision, check_apart, filter};
use config::Config;
use fitting::add_training;
use interrupt::{Interrupted, stoppable};
use trained::{Trained, chosen, fresh_seed, unseen_name};

/// Fits a model to a toy set or a table and writes it as one file
///
/// Columns are standardized first; a tenth of the rows, of a long table less, is kept out of training,
/// and the weights that do best on those are the ones written. The same seed gives the same file. All
/// options are written beside it as FILE.toml, which --config takes. Ctrl-C ends training early, as
/// SIGTERM and a terminal that closes do: the best weights so far are written, and the exit code is 130; the second
/// time all ends.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  flowlet train moons -o moons.flow --plot moons.png
  flowlet train circles --model flow-matching -o circles.flow
  flowlet train imu.csv --where activity=walking --columns ax..gz -o imu.flow
  flowlet train imu.csv --context activity -o imu.flow
  flowlet train --config imu.toml --seed 1 -o other.flow
  flowlet train imu.csv --checkpoint imu.state
  flowlet train imu.csv --checkpoint imu.state --resume imu.state")]
pub(super) struct Arguments {
    /// A toy set (moons, circles, gaussians), a path to a CSV or NPY file, or - for standard input
    #[arg(
        required_unless_present = "config",
        default_value = "",
        hide_default_value = true
    )]
    data: String,
    /// The kind of flow
    #[arg(long, default_value = "real-nvp")]
    model: Kind,
    /// Where to write the model; the data's name with the ending .flow, here,
    /// unless given
    #[arg(short, long, value_name = "FILE.flow")]
    output: Option<PathBuf>,
    /// Where to draw the data beside samples of the model, and how training went; SVG where the name ends
    /// in .svg, else PNG
    #[arg(long, value_name = "FILE.png")]
    plot: Option<PathBuf>,
    /// A TOML file with options by their long names, and data; those on the command line win
    #[arg(long, value_name = "FILE.toml")]
    config: Option<PathBuf>,

    /// Columns to fit: names, or FIRST..LAST for a range; all that --where and --context leave unless
    /// given; a name with a comma is quoted as in CSV: 'x,"speed, m/s"'
    #[arg(long, value_name = "COLUMN,...", help_heading = "Data")]
    columns: Vec<String>,
    /// Fit only the rows where the column has this value; where all do, if given again
    #[arg(long = "where", value_name = "COLUMN=VALUE", value_parser = filter, help_heading = "Data")]
    filters: Vec<(String, String)>,
    /// Columns to condition on: numbers, or categories (one-hot); quoted as those of --columns
    #[arg(long, value_name = "COLUMN,...", help_heading = "Data")]
    context: Vec<String>,
    #[command(flatten)]
    reading: Reading,
    /// Points to draw from a toy set [default: 10000]
    #[arg(
        long,
        value_name = "N",
        value_parser = count::<usize>(1..=MOST),
        allow_negative_numbers = true,
        help_heading = "Data"
    )]
    points: Option<usize>,

    /// Coupling layers of a RealNVP [default: 16; 8 for fewer than 2,000 rows to train on]
    #[arg(
        long,
        value_name = "N",
        value_parser = count::<usize>(1..=MAX_LAYER_COUNT),
        allow_negative_numbers = true,
        help_heading = "Model"
    )]
    layers: Option<usize>,
    /// Widths of the hidden layers of each net [default: 32,32, for few rows of few columns 16,16; for
    /// flow matching 64,64,64]
    #[arg(
        long,
        value_name = "N,...",
        value_delimiter = ',',
        value_parser = count::<usize>(1..=MAX_WIDTH),
        allow_negative_numbers = true,
        help_heading = "Model"
    )]
    hidden: Vec<usize>,
    /// Euler steps from noise to data that the file of a flow-matching model asks for; the fewest that
    /// are as good as 100, within their noise, unless given
    #[arg(
        long,
        value_name = "N",
        value_parser = step_count(),
        allow_negative_numbers = true,
        help_heading = "Model"
    )]
    steps_default: Option<NonZeroU16>,
    /// How the numbers of the nets are stored
    #[arg(long, default_value = "int8", help_heading = "Model")]
    precision: Precision,

    /// How to train
    #[arg(long, default_value = "tuned", help_heading = "Training")]
    recipe: RecipeName,
    /// Training steps [default: 8000; with the plain recipe of flow matching 20000]
    #[arg(
        long,
        value_name = "N",
        value_parser = count::<usize>(1..=MOST),
        allow_negative_numbers = true,
        help_heading = "Training"
    )]
    steps: Option<usize>,
    /// Rows a step
    #[arg(
        long,
        value_name = "N",
        default_value_t = 256,
        value_parser = count::<usize>(1..=MOST),
        allow_negative_numbers = true,
        help_heading = "Training"
    )]
    batch: usize,
    /// Learning rate at the start, from where it falls to 0 [default: 0.01, for few rows 0.002 or,
    /// of many columns, 0.003; for flow matching 0.005; with the plain recipe 0.002]
    #[arg(
        long,
        value_name = "RATE",
        value_parser = learning_rate,
        allow_negative_numbers = true,
        help_heading = "Training"
    )]
    learning_rate: Option<f64>,
    /// Seed of everything random
    #[arg(
        long,
        default_value_t = 0,
        allow_negative_numbers = true,
        help_heading = "Training"
    )]
    seed: u64,
    /// End when this many looks at the validation rows in a row, each a hundredth of the steps after
    /// the one before, bring nothing better; all steps are done unless given
    #[arg(
        long,
        value_name = "N",
        value_parser = count::<usize>(1..=MOST),
        allow_negative_numbers = true,
        help_heading = "Training"
    )]
    patience: Option<usize>,
    /// Where to keep the state of training, to go on from if it is broken off
    #[arg(long, value_name = "FILE", help_heading = "Training")]
    checkpoint: Option<PathBuf>,
    /// A checkpoint to go on from, with the options and the data that it began with
    #[arg(long, value_name = "FILE", help_heading = "Training")]
    resume: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// Samples and log-probabilities
    RealNvp,
    /// Samples, from a smaller net in many steps
    FlowMatching,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RecipeName {
    /// The best known: SOAP, averaged weights, optimal transport of noise to data
    Tuned,
    /// What tutorials do: Adam, the weights of the last step, noise and data paired at random
    Plain,
}

pub(super) fn run(given: &Arguments, matches: &ArgMatches) -> anyhow::Result<()> {
    let mut config = Config::<Arguments>::new(matches, given.config.as_deref())?;
    let arguments = &Arguments {
        config: given.config.clone(),
        checkpoint: given.checkpoint.clone(),
        resume: given.resume.clone(),
        json: given.json,
        ..config.arguments.clone()
    };
    let toy_set = ToySet::from_name(&arguments.data);
    let dataset = dataset(arguments, toy_set)?;
    let options = options(arguments, &dataset)?;
    let output = output_path(arguments, &dataset);
    let config_output = config.output(&output, given.config.as_deref())?;
    check_files(arguments, toy_set, &output, config_output.as_deref())?;
    config.fill_options(&options);
    config.fill("output", output.display().to_string());
    if toy_set.is_some() {
        config.fill("points", dataset.points.nrows() as i64);
    }

    let trained = stoppable(|stop| -> anyhow::Result<Trained> {
        let trained = Trained::new(arguments, toy_set, &dataset, &options, stop)?;
        trained.file.write(&output)?;
        config_output.map_or(Ok(()), |path| config.write(&path))?;
        if stop.load(Ordering::Relaxed) && trained.fitted.end != End::Stopped {
            eprintln!("stopped: the model is whole, but was not held against anything");
            return Err(Interrupted.into());
        }
        Ok(trained)
    })??;
    let Trained {
        fitted,
        file,
        float,
        ..
    } = &trained;
    let model = file.model()?;
    let mut report = Report::default();
    let path = output.display().to_string();
    report.fact("file", path.clone(), "written to", path);
    add_model(&mut report, &model, file.bytes().len());
    add_training(&mut report, fitted, trained.seconds);
    if let Some(steps) = &trained.steps {
        add_step_count(&mut report, steps, unseen_name(toy_set));
    }
    let float = float.as_ref().map(ModelFile::model).transpose()?;
    let seed = fresh_seed(arguments);
    let reference = reference(toy_set, &dataset, fitted, &model, seed);
    let evaluation = add_evaluation(&mut report, reference, &model, float.as_ref())?;
    if let Some(path) = &arguments.plot {
        let samples = match toy_set {
            Some(_) => evaluation.samples,
            None => samples_of_rows(&model, &dataset, seed)?,
        };
        plot::draw(path, &model, &dataset.points, &samples, &fitted.history)?;
        let path = path.display().to_string();
        report.fact("plot", path.clone(), "picture", path);
    }
    report.print(arguments.json)?;
    match fitted.end {
        End::Stopped => Err(Interrupted.into()),
        End::Steps | End::Patience => Ok(()),
    }
}

/// A sample for each row, with its context.
fn samples_of_rows(
    model: &Model<'_>,
    dataset: &Dataset,
    seed: u64,
) -> Result<Array2<f32>, flowlet::Error> {
    let noise = noise(dataset.points.nrows(), model.dim(), seed);
    transport(model, &noise, &dataset.context, None)
}

/// That all files can be written, and none over another: better known before training than after.
fn check_files(
    arguments: &Arguments,
    toy_set: Option<ToySet>,
    output: &Path,
    config_output: Option<&Path>,
) -> anyhow::Result<()> {
    let table = toy_set.is_none().then_some(Path::new(&arguments.data));
    let checkpoint = arguments.checkpoint.as_deref();
    // A run may go on in the file that it left off in.
    let resume = arguments
        .resume
        .as_deref()
        .filter(|path| Some(*path) != checkpoint);
    let read = [table, arguments.config.as_deref(), resume];
    let written = [
        Some(output),
        arguments.plot.as_deref(),
        config_output,
        checkpoint,
    ];
    check_apart(&read, &written)?;
    arguments
        .plot
        .as_deref()
        .map_or(Ok(()), plot::check_ending)?;
    for path in written.into_iter().flatten() {
        check_writable(path)?;
    }
    Ok(())
}

fn dataset(arguments: &Arguments, toy_set: Option<ToySet>) -> anyhow::Result<Dataset> {
    let selection = Selection {
        columns: items("--columns", &arguments.columns)?,
        filters: arguments.filters.clone(),
        context: items("--context", &arguments.context)?,
    };
    let Some(set) = toy_set else {
        ensure!(
            arguments.points.is_none(),
            "--points is for toy sets: choose rows of a table with --where"
        );
        let path = Path::new(&arguments.data);
        tables::check_is_file(path)?;
        let selected = arguments.reading.open(path)?.select(&selection)?;
        let data = tables::data(selected, path);
        tables::tell_coarse(&data, path);
        return Ok(data);
    };
    ensure!(
        selection == Selection::default() && !arguments.reading.drop_missing,
        "--columns, --where, --context and --drop-missing are for tables, {} is a toy set",
        set.name()
    );
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(arguments.seed);
    Ok(set.sample(arguments.points.unwrap_or(POINTS), &mut rng))
}

fn output_path(arguments: &Arguments, dataset: &Dataset) -> PathBuf {
    let default = || PathBuf::from(format!("{}.flow", dataset.name));
    arguments.output.clone().unwrap_or_else(default)
}

fn options(arguments: &Arguments, dataset: &Dataset) -> anyhow::Result<FitOptions> {
    let defaults = match arguments.model {
        Kind::RealNvp => FitOptions::real_nvp(),
        Kind::FlowMatching => FitOptions::flow_matching(),
    };
    let defaults = defaults.with_recipe(match arguments.recipe {
        RecipeName::Tuned => Recipe::Tuned,
        RecipeName::Plain => Recipe::Plain,
    });
    let (rows, dim) = dataset.points.dim();
    let defaults = defaults.for_table(dim, rows);
    let flow_matching = defaults.model == ModelKind::FlowMatching;
    ensure!(
        !flow_matching || arguments.layers.is_none(),
        "--layers is for RealNVP: a flow-matching model has one net, see --hidden"
    );
    ensure!(
        flow_matching || arguments.steps_default.is_none(),
        "--steps-default is for flow matching: a RealNVP takes no steps"
    );
    ensure!(
        arguments.hidden.len() < MAX_DEPTH,
        "--hidden names {} layers, a net takes at most {}",
        arguments.hidden.len(),
        MAX_DEPTH - 1
    );
    Ok(FitOptions {
        layers: arguments.layers.unwrap_or(defaults.layers),
        hidden: match arguments.hidden.as_slice() {
            [] => defaults.hidden,
            hidden => hidden.to_vec(),
        },
        steps: arguments.steps.unwrap_or(defaults.steps),
        batch: arguments.batch,
        learning_rate: arguments.learning_rate.unwrap_or(defaults.learning_rate),
        step_count: arguments.steps_default.map(NonZeroU16::get),
        seed: arguments.seed,
        patience: arguments.patience.or(defaults.patience),
        ..defaults
    })
}

fn add_step_count(report: &mut Report, steps: &StepCount, rows: &str) {
    let at = |count| STEP_COUNTS.iter().position(|&c| c == count);
    let chosen = at(steps.chosen.get()).map_or(f64::NAN, |i| steps.energy_distances[i]);
    let [.., last] = steps.energy_distances;
    let text = if last.is_finite() {
        format!(
            "{}, the fewest as good as 100: energy distance {chosen:.5} to {rows}, for 100 steps {last:.5} ± {:.5}",
            steps.chosen, steps.noise
        )
    } else {
        format!(
            "{}, as there are too few {rows} to tell whether fewer do",
            steps.chosen
        )
    };
    report.fact("default_steps", steps.chosen.get(), "default steps", text);
    let figures = json!({"steps": STEP_COUNTS, "energy_distances": steps.energy_distances});
    report.value("by_steps", figures);
}

/// What the model is held against, with the baselines that there are, and what it is called.
fn reference(
    toy_set: Option<ToySet>,
    dataset: &Dataset,
    fitted: &Fitted,
    model: &Model<'_>,
    seed: u64,
) -> (Reference, Option<Baselines>, &'static str) {
    if let Some(set) = toy_set {
        let reference = Reference::of_toy_set(set, POINTS, model, seed);
        return (reference, None, unseen_name(toy_set));
    }
    let reference = Reference::of_table(chosen(dataset, &fitted.validation), model, seed);
    let is_density = matches!(fitted.flow.kind, FlowKind::RealNvp { .. });
    let baselines = is_density.then(|| {
        let training = dataset.points.select(Axis(0), &fitted.training);
        reference.baselines(&training, seed)
    });
    (reference, baselines, unseen_name(toy_set))
}

/// Adds how good the model is, with its `float` form beside it if it has one.
fn add_evaluation(
    report: &mut Report,
    (reference, baselines, points): (Reference, Option<Baselines>, &str),
    model: &Model<'_>,
    float: Option<&Model<'_>>,
) -> anyhow::Result<Evaluation> {
    let evaluation = reference.evaluate(model, None)?;
    let float = float
        .map(|float| reference.evaluate(float, None))
        .transpose()?;
    let first = Form {
        name: precision_name(model),
        evaluation: &evaluation,
    };
    let second = float.as_ref().map(|evaluation| Form {
        name: "f32",
        evaluation,
    });
    let forms: Vec<Form<'_>> = std::iter::once(first).chain(second).collect();
    add_quality(report, &reference, &forms, baselines.as_ref(), points);
    Ok(evaluation)
}
