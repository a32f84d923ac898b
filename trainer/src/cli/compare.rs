//! `flowlet compare`.

mod figures;
mod page;
mod table;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, ensure};
use flowlet_trainer::comparison::{Contender, Path, Verdict, paths};
use flowlet_trainer::data::toy::ToySet;
use flowlet_trainer::evaluation::{POINTS, Reference};
use flowlet_trainer::fit::{Controls, End, FitOptions, ModelKind};
use flowlet_trainer::inference::noise;
use flowlet_trainer::output::{check_writable, write_whole};

use super::numbers::{MOST, count};
use super::report::Report;
use super::train::interrupt::{Interrupted, stoppable};
use super::train::progress::ProgressReport;

/// Trains both kinds of flow on all toy sets and lays them side by side
///
/// Prints tables, and writes a page with them and with pictures: one file, index.html, that needs nothing
/// else. The models, with int8 nets as `train` makes them, lie beside it.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  flowlet compare
  flowlet compare --seed 1 -o other
  flowlet compare --steps 500 -o quick")]
pub(super) struct Arguments {
    /// The folder to write to; made if it is missing
    #[arg(short, long, value_name = "FOLDER", default_value = "comparison")]
    output: PathBuf,
    /// Training steps of each model [default: those of train]
    #[arg(
        long,
        value_name = "N",
        value_parser = count::<usize>(1..=MOST),
        allow_negative_numbers = true
    )]
    steps: Option<usize>,
    /// Points to train on, and as many fresh ones to compare samples with
    #[arg(
        long,
        value_name = "N",
        default_value_t = POINTS,
        value_parser = count::<usize>(20..=MOST),
        allow_negative_numbers = true
    )]
    points: usize,
    /// Seed of everything random
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Points that are followed from noise to data.
const PATHS: usize = 60;

/// A toy set, the points that models are held against, and both models.
struct Compared {
    set: ToySet,
    reference: Reference,
    models: [Judged; 2],
}

/// A model, what it is worth, and the ways of some points through it.
struct Judged {
    kind: ModelKind,
    contender: Contender,
    verdict: Verdict,
    paths: Vec<Path>,
}

impl Judged {
    fn name(&self) -> &'static str {
        match self.kind {
            ModelKind::RealNvp => "RealNVP",
            ModelKind::FlowMatching => "flow matching",
        }
    }
}

/// What the model is called on the command line.
fn key(kind: ModelKind) -> &'static str {
    match kind {
        ModelKind::RealNvp => "real-nvp",
        ModelKind::FlowMatching => "flow-matching",
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = &arguments.output;
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let page_path = folder.join("index.html");
    check_page(&page_path)?;
    let compared = stoppable(|stop| {
        let compare = |set| compare(arguments, set, stop);
        ToySet::ALL
            .into_iter()
            .map(compare)
            .collect::<anyhow::Result<Vec<_>>>()
    })??;
    let mut report = Report::default();
    let page = page::page(&compared, arguments)?;
    write_whole(&page_path, |output| output.write_all(page.as_bytes()))?;
    let path = page_path.display().to_string();
    report.fact("page", path.clone(), "page", path);
    table::add(&mut report, &compared);
    Ok(report.print(arguments.json)?)
}

/// That the page can be written, and only over one of its kind: better known before training than after.
fn check_page(path: &std::path::Path) -> anyhow::Result<()> {
    let is_other = |text: String| !text.contains(page::TITLE);
    ensure!(
        !fs::read_to_string(path).is_ok_and(is_other),
        "{} is no comparison, and would be written over: choose another folder with --output",
        path.display()
    );
    Ok(check_writable(path)?)
}

fn compare(arguments: &Arguments, set: ToySet, stop: &AtomicBool) -> anyhow::Result<Compared> {
    let train = |options| train(arguments, set, options, stop);
    let contenders = [
        (ModelKind::RealNvp, train(FitOptions::real_nvp())?),
        (ModelKind::FlowMatching, train(FitOptions::flow_matching())?),
    ];
    // Another seed than the data's, so that no point is one the models have seen.
    let seed = arguments.seed.wrapping_add(1);
    let first = contenders[0].1.file.model()?;
    let reference = Reference::of_toy_set(set, arguments.points, &first, seed);
    let noise = noise(PATHS, 2, seed);
    let judge = |(kind, contender): (ModelKind, Contender)| -> anyhow::Result<Judged> {
        let model = contender.file.model()?;
        Ok(Judged {
            kind,
            verdict: Verdict::on(&model, &reference, seed)?,
            paths: paths(&model, &contender.fitted.flow, &noise)?,
            contender,
        })
    };
    let [real_nvp, flow_matching] = contenders.map(judge);
    let models = [real_nvp?, flow_matching?];
    Ok(Compared {
        set,
        reference,
        models,
    })
}

fn train(
    arguments: &Arguments,
    set: ToySet,
    options: FitOptions,
    stop: &AtomicBool,
) -> anyhow::Result<Contender> {
    let options = options.for_table(2, arguments.points);
    let options = FitOptions {
        steps: arguments.steps.unwrap_or(options.steps),
        seed: arguments.seed,
        ..options
    };
    let mut progress = ProgressReport::new(options.steps);
    let mut report = |now: &_| progress.show(now);
    let controls = Controls {
        stop,
        ..Controls::new(&mut report)
    };
    let contender = Contender::train(set, arguments.points, &options, controls);
    progress.finish();
    let contender = contender?;
    let folder = &arguments.output;
    match contender.fitted.end {
        End::Stopped => {
            eprintln!(
                "stopped: the models trained so far are in {}, without a page",
                folder.display()
            );
            Err(Interrupted.into())
        }
        End::Steps | End::Patience => {
            // At once, so that nothing is lost by what comes next.
            let name = format!("{}-{}.flow", set.name(), key(options.model));
            contender.file.write(&folder.join(name))?;
            Ok(contender)
        }
    }
}
