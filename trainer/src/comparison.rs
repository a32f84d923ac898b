//! Both kinds of flow on one toy set, side by side.
//!
//! Whatever is measured here is measured on the model as it would be stored, by the runtime crate.

mod paths;
mod round_trip;

use std::num::NonZeroU16;
use std::time::{Duration, Instant};

use flowlet::{Kind, Model};
use ndarray::{ArrayView2, Axis, s};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

pub use paths::{Path, paths};
pub use round_trip::{RoundTrip, round_trip};

use crate::Error;
use crate::data::Dataset;
use crate::data::toy::ToySet;
use crate::evaluation::{Evaluation, Reference};
use crate::fit::{Controls, FitOptions, Fitted, ModelKind, fit_controlled};
use crate::flow::FlowKind;
use crate::inference::{noise, transport};
use crate::metrics::EnergyDistance;
use crate::model_file::ModelFile;
use crate::quantize::{Rows, quantize};
use crate::step_count::{STEP_COUNTS, choose_step_count};

/// Points of the data that are taken through a model and back.
const ROUND_TRIPS: usize = 1_000;

/// A model with int8 nets, and how it was trained.
#[derive(Clone, Debug)]
pub struct Contender {
    /// How training went.
    pub fitted: Fitted,
    /// How long it took, rounding the nets and choosing the step count included.
    pub time: Duration,
    /// The model as it would be stored.
    pub file: ModelFile,
}

/// What a model is held to be worth.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Its samples, and how far they are from the law.
    pub evaluation: Evaluation,
    /// Nets evaluated for a sample: couplings, or Euler steps.
    pub evaluations: usize,
    /// Multiply-adds of a sample.
    pub mac_count: usize,
    /// How exactly points come back from a way through the model: by the model's own steps.
    pub round_trip: RoundTrip,
    /// The same by the most of [`STEP_COUNTS`]; none for RealNVP.
    pub fine_round_trip: Option<RoundTrip>,
    /// [Energy distance](crate::metrics::energy_distance) of as many samples by each of [`STEP_COUNTS`]; none
    /// for RealNVP.
    pub by_steps: Option<[f64; STEP_COUNTS.len()]>,
}

/// The points that models are trained on, of a seed.
pub fn training_data(set: ToySet, count: usize, seed: u64) -> Dataset {
    set.sample(count, &mut Xoshiro256PlusPlus::seed_from_u64(seed))
}

impl Contender {
    /// Fits a model to points of the toy set, rounds its nets and chooses its step count.
    ///
    /// # Errors
    ///
    /// Those of [`fit_controlled`].
    pub fn train(
        set: ToySet,
        count: usize,
        options: &FitOptions,
        controls: Controls<'_>,
    ) -> Result<Self, Error> {
        let data = training_data(set, count, options.seed);
        let start = Instant::now();
        let fitted = fit_controlled(&data, options, controls)?;
        let points = data.points.select(Axis(0), &fitted.training);
        let rows = Rows {
            points: points.view(),
            context: ArrayView2::from_shape((points.nrows(), 0), &[]).expect("there is none"),
        };
        let mut quantized = quantize(&fitted.flow, Some(rows))?;
        if options.model == ModelKind::FlowMatching && options.step_count.is_none() {
            let seed = options.seed.wrapping_add(1);
            let fresh = training_data(set, count, seed);
            let file = quantized.export()?;
            let steps = choose_step_count(&file.model()?, &fresh.points, &fresh.context, seed)?;
            quantized.flow.kind = FlowKind::FlowMatching {
                step_count: steps.chosen.get(),
            };
        }
        Ok(Self {
            file: quantized.export()?,
            time: start.elapsed(),
            fitted,
        })
    }
}

impl Verdict {
    /// Holds a model against points that it was not trained on.
    ///
    /// # Errors
    ///
    /// [`Error::Runtime`] where it is not a model of the reference's points.
    pub fn on(model: &Model<'_>, reference: &Reference, seed: u64) -> Result<Self, Error> {
        let points = &reference.data().points;
        let count = points.nrows().min(ROUND_TRIPS);
        let some = points.slice(s![..count, ..]).to_owned();
        let [.., most] = STEP_COUNTS;
        let (evaluations, fine_round_trip, by_steps) = match model.kind() {
            Kind::RealNvp { .. } => (model.description().net_count(), None, None),
            Kind::FlowMatching { step_count } => (
                step_count.get().into(),
                Some(round_trip(model, &some, NonZeroU16::new(most))?),
                Some(by_steps(model, reference, seed)?),
            ),
        };
        let nets = match model.kind() {
            Kind::RealNvp { .. } => 1,
            Kind::FlowMatching { .. } => evaluations,
        };
        Ok(Self {
            evaluation: reference.evaluate(model, None)?,
            evaluations,
            mac_count: model.mac_count() * nets,
            round_trip: round_trip(model, &some, None)?,
            fine_round_trip,
            by_steps,
        })
    }
}

/// Energy distances of samples by each of [`STEP_COUNTS`], all of the same noise.
fn by_steps(
    model: &Model<'_>,
    reference: &Reference,
    seed: u64,
) -> Result<[f64; STEP_COUNTS.len()], Error> {
    let (points, space) = (&reference.data().points, reference.space());
    let distance = EnergyDistance::to(space.standardize(points).view());
    let noise = noise(points.nrows(), model.dim(), seed);
    let mut distances = [0.0; STEP_COUNTS.len()];
    for (found, steps) in distances.iter_mut().zip(STEP_COUNTS) {
        let context = &reference.data().context;
        let samples = transport(model, &noise, context, NonZeroU16::new(steps))?;
        *found = distance.of(space.standardize(&samples).view());
    }
    Ok(distances)
}
