//! `flowlet train`.

use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{bail, ensure};
use clap::ValueEnum;
use flowlet::Model;
use flowlet::format::{MAX_DEPTH, MAX_LAYER_COUNT, MAX_WIDTH};
use flowlet_trainer::data::Dataset;
use flowlet_trainer::data::table::Selection;
use flowlet_trainer::data::toy::ToySet;
use flowlet_trainer::evaluation::{Evaluation, POINTS, evaluate};
use flowlet_trainer::export::export;
use flowlet_trainer::fit::{FitOptions, Fitted, ModelKind, Progress, fit};
use flowlet_trainer::flow::FlowKind;
use flowlet_trainer::inference::{noise, transport};
use flowlet_trainer::output::check_writable;
use flowlet_trainer::plot::{Panel, scatter};
use flowlet_trainer::quantize::{loss, quantize};
use indicatif::{ProgressBar, ProgressStyle};
use ndarray::{Array2, Axis};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::calibration::{add_loss, rows};
use super::numbers::{MOST, count, learning_rate, step_count};
use super::report::{Report, grouped};
use super::summary::{add_model, axis_labels, kind_name};
use super::tables::{self, Reading, items};
use super::{Precision, check_apart, filter};

/// Fits a model to a toy set or a table and writes it as one file
///
/// Columns are standardized first; a tenth of the rows is kept out of training, and the weights that
/// do best on those are the ones written. The same seed gives the same file.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowlet train moons -o moons.flow --plot moons.png
  flowlet train circles --model flow-matching -o circles.flow
  flowlet train imu.csv --where activity=walking --columns ax..gz -o imu.flow
  flowlet train imu.csv --context activity -o imu.flow")]
pub(super) struct Arguments {
    /// A toy set (moons, circles, gaussians), a path to a CSV or NPY file, or - for standard input
    data: String,
    /// The kind of flow
    #[arg(long, default_value = "real-nvp")]
    model: Kind,
    /// Where to write the model; the data's name with the ending .flow, here,
    /// unless given
    #[arg(short, long, value_name = "FILE.flow")]
    output: Option<PathBuf>,
    /// Where to draw the data beside samples of the model
    #[arg(long, value_name = "FILE.png")]
    plot: Option<PathBuf>,

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

    /// Coupling layers of a RealNVP [default: 8]
    #[arg(
        long,
        value_name = "N",
        value_parser = count::<usize>(1..=MAX_LAYER_COUNT),
        allow_negative_numbers = true,
        help_heading = "Model"
    )]
    layers: Option<usize>,
    /// Widths of the hidden layers of each net [default: 64,64 or, for flow matching, 64,64,64]
    #[arg(
        long,
        value_name = "N,...",
        value_delimiter = ',',
        value_parser = count::<usize>(1..=MAX_WIDTH),
        allow_negative_numbers = true,
        help_heading = "Model"
    )]
    hidden: Vec<usize>,
    /// Euler steps from noise to data that the file of a flow-matching model asks for [default: 100]
    #[arg(
        long,
        value_name = "N",
        value_parser = step_count(),
        allow_negative_numbers = true,
        help_heading = "Model"
    )]
    euler_steps: Option<NonZeroU16>,
    /// How the numbers of the nets are stored
    #[arg(long, default_value = "int8", help_heading = "Model")]
    precision: Precision,

    /// Training steps [default: 8000 or, for flow matching, 20000]
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
    /// Learning rate of Adam at the start, from where it falls to 0 [default: 0.002]
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

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let toy_set = ToySet::from_name(&arguments.data);
    let dataset = dataset(arguments, toy_set)?;
    let output = output_path(arguments, &dataset);
    let written = [Some(output.as_path()), arguments.plot.as_deref()];
    let table = toy_set.is_none().then_some(Path::new(&arguments.data));
    check_apart(&[table], &written)?;
    // Better known before training than after.
    check_writable(&output)?;
    arguments.plot.as_deref().map_or(Ok(()), check_writable)?;

    let start = Instant::now();
    let fitted = fit_with_progress(&dataset, &options(arguments)?)?;
    let seconds = start.elapsed().as_secs_f64();
    let float = export(&fitted.flow, flowlet::Precision::F32)?;
    let file = match arguments.precision {
        Precision::F32 => float.clone(),
        Precision::Int8 => {
            let training = chosen(&dataset, &fitted.training);
            quantize(&fitted.flow, Some(rows(&training)))?.export()?
        }
    };
    file.write(&output)?;

    let model = file.model()?;
    let mut report = Report::default();
    let path = output.display().to_string();
    report.fact("file", path.clone(), "written to", path);
    add_model(&mut report, &model, file.bytes().len());
    add_training(&mut report, &fitted, seconds);
    // Another seed than the data's, so that no point is one the model has seen.
    let seed = arguments.seed.wrapping_add(1);
    if let Precision::Int8 = arguments.precision {
        let (points, name) = match toy_set {
            Some(set) => (fresh(set, seed), "fresh points"),
            None => (chosen(&dataset, &fitted.validation), "validation rows"),
        };
        let loss = loss(
            &float.model()?,
            &model,
            &points.points,
            &points.context,
            seed,
        )?;
        let count = points.points.nrows().min(POINTS);
        add_loss(&mut report, &loss, &format!("{} {name}", grouped(count)));
    }
    let evaluation = toy_set.map(|set| evaluate(&model, set, None, seed));
    let evaluation = evaluation.transpose()?;
    if let Some(evaluation) = &evaluation {
        add_evaluation(&mut report, evaluation);
    }
    if let Some(path) = &arguments.plot {
        let samples = match evaluation {
            Some(evaluation) => evaluation.samples,
            None => {
                let noise = noise(dataset.points.nrows(), model.dim(), seed);
                transport(&model, &noise, &dataset.context, None)?
            }
        };
        plot(path, &model, &dataset.points, &samples)?;
        let path = path.display().to_string();
        report.fact("plot", path.clone(), "picture", path);
    }
    Ok(report.print(arguments.json)?)
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
        if path != Path::new("-") && path.extension().is_none() && !path.exists() {
            let known: Vec<_> = ToySet::ALL.iter().map(|set| set.name()).collect();
            bail!(
                "{} is neither a toy set ({}) nor a file",
                arguments.data,
                known.join(", ")
            );
        }
        let selected = arguments.reading.open(path)?.select(&selection)?;
        return Ok(tables::data(selected, path));
    };
    ensure!(
        selection == Selection::default() && !arguments.reading.drop_missing,
        "--columns, --where, --context and --drop-missing are for tables, {} is a toy set",
        set.name()
    );
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(arguments.seed);
    Ok(set.sample(arguments.points.unwrap_or(POINTS), &mut rng))
}

/// Those rows of the data.
fn chosen(dataset: &Dataset, rows: &[usize]) -> Dataset {
    Dataset {
        name: dataset.name.clone(),
        points: dataset.points.select(Axis(0), rows),
        context: dataset.context.select(Axis(0), rows),
        labels: dataset.labels.clone(),
    }
}

/// Points that the model has not seen.
fn fresh(set: ToySet, seed: u64) -> Dataset {
    set.sample(POINTS, &mut Xoshiro256PlusPlus::seed_from_u64(seed))
}

fn output_path(arguments: &Arguments, dataset: &Dataset) -> PathBuf {
    let default = || PathBuf::from(format!("{}.flow", dataset.name));
    arguments.output.clone().unwrap_or_else(default)
}

fn options(arguments: &Arguments) -> anyhow::Result<FitOptions> {
    let defaults = match arguments.model {
        Kind::RealNvp => FitOptions::real_nvp(),
        Kind::FlowMatching => FitOptions::flow_matching(),
    };
    let flow_matching = defaults.model == ModelKind::FlowMatching;
    ensure!(
        !flow_matching || arguments.layers.is_none(),
        "--layers is for RealNVP: a flow-matching model has one net, see --hidden"
    );
    ensure!(
        flow_matching || arguments.euler_steps.is_none(),
        "--euler-steps is for flow matching: a RealNVP takes no steps"
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
        step_count: arguments
            .euler_steps
            .map_or(defaults.step_count, NonZeroU16::get),
        seed: arguments.seed,
        ..defaults
    })
}

fn fit_with_progress(dataset: &Dataset, options: &FitOptions) -> anyhow::Result<Fitted> {
    let style = "{bar:30} {pos}/{len} steps, {msg}, {eta} left";
    let style = ProgressStyle::with_template(style).expect("the template is well-formed");
    let bar = ProgressBar::new(options.steps as u64).with_style(style);
    let fitted = fit(dataset, options, &mut |progress: &Progress| {
        bar.set_position(progress.step as u64);
        bar.set_message(format!(
            "loss {:.4}, validation {:.4}",
            progress.loss, progress.validation
        ));
    });
    bar.finish_and_clear();
    Ok(fitted?)
}

fn add_training(report: &mut Report, fitted: &Fitted, seconds: f64) {
    let unit = match fitted.flow.kind {
        FlowKind::RealNvp { .. } => "nats",
        FlowKind::FlowMatching { .. } => "mean square",
    };
    let (training, validation) = (fitted.training.len(), fitted.validation.len());
    let text = format!(
        "{} trained on, {} kept out for validation",
        grouped(training),
        grouped(validation)
    );
    report.fact("training_rows", training, "rows", text);
    report.value("validation_rows", validation);
    report.value("training_loss", fitted.training_loss);
    report.fact(
        "validation_loss",
        fitted.validation_loss,
        "validation loss",
        format!(
            "{:.4} {unit} at step {}, the best",
            fitted.validation_loss,
            grouped(fitted.best_step)
        ),
    );
    report.value("best_step", fitted.best_step);
    report.fact(
        "seconds",
        seconds,
        "training time",
        format!("{seconds:.1} s"),
    );
}

fn add_evaluation(report: &mut Report, evaluation: &Evaluation) {
    let points = grouped(POINTS);
    if let Some(nll) = evaluation.nll {
        let text = format!(
            "{nll:.4} nats; the data's own density gives {:.4} ({points} fresh points, standardized)",
            evaluation.exact_nll
        );
        report.fact("nll", nll, "held-out NLL", text);
        report.value("exact_nll", evaluation.exact_nll);
    }
    let (found, floor) = (evaluation.sliced_w2, evaluation.sliced_w2_floor);
    let text = format!(
        "{found:.4} from {points} samples to as many fresh points; for points of the law itself \
         {:.4} ± {:.4}",
        floor.mean, floor.std
    );
    report.fact("sliced_w2", found, "sliced W2", text);
    report.value("sliced_w2_floor", floor.mean);
    report.value("sliced_w2_floor_std", floor.std);
    let (found, floor) = (evaluation.energy_distance, evaluation.energy_distance_floor);
    let text = format!(
        "{found:.5}; for points of the law itself {:.5} ± {:.5}",
        floor.mean, floor.std
    );
    report.fact("energy_distance", found, "energy distance", text);
    report.value("energy_distance_floor", floor.mean);
    report.value("energy_distance_floor_std", floor.std);
}

fn plot(
    path: &Path,
    model: &Model<'_>,
    points: &Array2<f32>,
    samples: &Array2<f32>,
) -> anyhow::Result<()> {
    let panels = [
        Panel {
            caption: "data",
            points: points.view(),
        },
        Panel {
            caption: "samples",
            points: samples.view(),
        },
    ];
    let title = format!("{}, {}", model.name(), kind_name(model));
    scatter(path, &title, axis_labels(model), &panels)?;
    Ok(())
}
