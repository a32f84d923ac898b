//! From data to the model as it will be stored.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use flowlet_trainer::Error;
use flowlet_trainer::data::Dataset;
use flowlet_trainer::data::toy::ToySet;
use flowlet_trainer::evaluation::POINTS;
use flowlet_trainer::export::export;
use flowlet_trainer::fit::{FitOptions, Fitted, ModelKind};
use flowlet_trainer::flow::{Flow, FlowKind};
use flowlet_trainer::model_file::ModelFile;
use flowlet_trainer::quantize::{QuantizedFlow, quantize};
use flowlet_trainer::step_count::{StepCount, choose_step_count};
use ndarray::Axis;
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::super::Precision;
use super::super::calibration::rows;
use super::Arguments;
use super::fitting::fit_with_progress;

/// A model, and how it came to be.
pub(super) struct Trained {
    pub(super) fitted: Fitted,
    /// Of training alone.
    pub(super) seconds: f64,
    pub(super) file: ModelFile,
    /// With nets in `f32`, where those of `file` are integers.
    pub(super) float: Option<ModelFile>,
    /// How the steps of flow matching were chosen, unless they were given.
    pub(super) steps: Option<StepCount>,
}

impl Trained {
    /// Fits a flow until `stop`, rounds its nets and chooses its steps.
    pub(super) fn new(
        arguments: &Arguments,
        toy_set: Option<ToySet>,
        dataset: &Dataset,
        options: &FitOptions,
        stop: &AtomicBool,
    ) -> anyhow::Result<Self> {
        let start = Instant::now();
        let mut fitted = fit_with_progress(dataset, options, arguments, stop)?;
        let seconds = start.elapsed().as_secs_f64();
        let mut quantized = match arguments.precision {
            Precision::F32 => None,
            Precision::Int8 => {
                let training = chosen(dataset, &fitted.training);
                Some(quantize(&fitted.flow, Some(rows(&training)))?)
            }
        };
        let steps = match (&options.model, options.step_count) {
            (ModelKind::FlowMatching, None) => {
                let file = stored(&fitted.flow, quantized.as_ref())?;
                let seed = fresh_seed(arguments);
                let unseen = unseen(toy_set, dataset, &fitted, seed);
                let (points, context) = (&unseen.points, &unseen.context);
                Some(choose_step_count(&file.model()?, points, context, seed)?)
            }
            _ => None,
        };
        if let Some(steps) = &steps {
            let step_count = steps.chosen.get();
            fitted.flow.kind = FlowKind::FlowMatching { step_count };
            if let Some(quantized) = &mut quantized {
                quantized.flow.kind = fitted.flow.kind;
            }
        }
        let file = stored(&fitted.flow, quantized.as_ref())?;
        let float = || export(&fitted.flow, flowlet::Precision::F32);
        Ok(Self {
            file,
            float: quantized.map(|_| float()).transpose()?,
            fitted,
            seconds,
            steps,
        })
    }
}

/// Another seed than the data's, so that no point is one that the model has seen.
pub(super) fn fresh_seed(arguments: &Arguments) -> u64 {
    arguments.seed.wrapping_add(1)
}

/// Points that the model has not seen.
fn unseen(toy_set: Option<ToySet>, dataset: &Dataset, fitted: &Fitted, seed: u64) -> Dataset {
    match toy_set {
        Some(set) => set.sample(POINTS, &mut Xoshiro256PlusPlus::seed_from_u64(seed)),
        None => chosen(dataset, &fitted.validation),
    }
}

/// What [`unseen`] points are called.
pub(super) fn unseen_name(toy_set: Option<ToySet>) -> &'static str {
    match toy_set {
        Some(_) => "fresh points",
        None => "validation rows",
    }
}

/// Those rows of the data.
pub(super) fn chosen(dataset: &Dataset, rows: &[usize]) -> Dataset {
    Dataset {
        name: dataset.name.clone(),
        points: dataset.points.select(Axis(0), rows),
        context: dataset.context.select(Axis(0), rows),
        labels: dataset.labels.clone(),
    }
}

/// The model as it will be stored.
fn stored(flow: &Flow, quantized: Option<&QuantizedFlow>) -> Result<ModelFile, Error> {
    match quantized {
        Some(quantized) => quantized.export(),
        None => export(flow, flowlet::Precision::F32),
    }
}
