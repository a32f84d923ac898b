//! The rows that nets are calibrated on, as they pass through a flow.

use std::num::NonZeroU16;

use flowlet::{Model, StandardNormal};
use ndarray::{Array2, ArrayView2, Axis, concatenate, s};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::data::evenly;
use crate::error::Error;
use crate::flow::{Flow, FlowKind};
use crate::inference::transport;
use crate::whitening::whiten;

/// Rows that are enough.
const ROWS: usize = 4096;

/// Standard deviations beyond which a row says nothing.
const FARTHEST: f64 = 1000.0;

/// Euler steps that are enough to see where samples go.
const MOST_STEPS: u16 = 100;

/// Fixed, so that one flow has one quantized form.
const SEED: u64 = 0x51AB;

/// Rows of data, in their units.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// `[n, dim]`
    pub points: ArrayView2<'a, f32>,
    /// `[n, context_dim]`
    pub context: ArrayView2<'a, f32>,
}

impl Rows<'_> {
    /// At most `most` of them: points and context.
    fn evenly(&self, most: usize) -> (Array2<f32>, Array2<f32>) {
        let index = evenly(self.points.nrows(), most);
        (
            self.points.select(Axis(0), &index),
            self.context.select(Axis(0), &index),
        )
    }
}

/// Rows on their way through a flow, in standardized space.
#[derive(Debug)]
pub(super) struct Calibration {
    kind: FlowKind,
    /// Data of a RealNVP, points between noise and data of a velocity field.
    state: Array2<f64>,
    /// What a net reads beside the state.
    context: Array2<f64>,
}

/// What all random numbers of a calibration come from.
type Generator = Xoshiro256PlusPlus;

impl Calibration {
    /// The given rows, and samples of the flow itself: all of them where no rows are given, half of
    /// them for a RealNVP, whose log-probabilities count where no data lie too.
    ///
    /// # Errors
    ///
    /// [`Error::Runtime`] where the rows have not the flow's columns.
    pub(super) fn new(
        flow: &Flow,
        model: &Model<'_>,
        rows: Option<Rows<'_>>,
    ) -> Result<Self, Error> {
        let rng = &mut Generator::seed_from_u64(SEED);
        let rows = rows.filter(|rows| !rows.points.is_empty());
        let (points, context) = match rows {
            None => {
                let context = normal_context(flow, ROWS, rng);
                (samples(flow, model, &context, rng)?, context)
            }
            Some(rows) => match flow.kind {
                FlowKind::FlowMatching { .. } => rows.evenly(ROWS),
                FlowKind::RealNvp { .. } => {
                    let (points, context) = rows.evenly(ROWS / 2);
                    let own_context = cycled(&context, ROWS - points.nrows());
                    let own = samples(flow, model, &own_context, rng)?;
                    (
                        concatenate![Axis(0), points, own],
                        concatenate![Axis(0), context, own_context],
                    )
                }
            },
        };
        let mut state = standardized(flow, 0, &points);
        if let Some(factor) = &flow.factor {
            whiten(&mut state, factor);
            state.mapv_inplace(tame);
        }
        let context = standardized(flow, flow.dim, &context);
        Ok(match flow.kind {
            FlowKind::RealNvp { .. } => Self {
                kind: flow.kind,
                state,
                context,
            },
            FlowKind::FlowMatching { .. } => Self::between(flow.kind, &state, &context, rng),
        })
    }

    /// Points on the straight lines from noise to `data`, and their times.
    fn between(
        kind: FlowKind,
        data: &Array2<f64>,
        context: &Array2<f64>,
        rng: &mut Generator,
    ) -> Self {
        let time = Array2::from_shape_simple_fn((ROWS, 1), || rng.random::<f64>());
        let noise = normal(ROWS, data.ncols(), rng).mapv(f64::from);
        let data = cycled(data, ROWS);
        Self {
            kind,
            state: &noise * &(1.0 - &time) + &data * &time,
            context: concatenate![Axis(1), time, cycled(context, ROWS)],
        }
    }

    /// What net `k` reads.
    pub(super) fn input(&self, k: usize) -> Array2<f64> {
        match self.kind {
            FlowKind::RealNvp { .. } => {
                let kept = self.state.slice(s![.., k % 2..;2]);
                concatenate![Axis(1), kept, self.context]
            }
            FlowKind::FlowMatching { .. } => concatenate![Axis(1), self.state, self.context],
        }
    }

    /// Passes the rows through layer `k`, whose net gave `output`.
    pub(super) fn apply(&mut self, k: usize, output: &Array2<f64>) {
        let FlowKind::RealNvp { scale_clip } = self.kind else {
            return;
        };
        let clip = f64::from(scale_clip);
        let mut moved = self.state.slice_mut(s![.., 1 - k % 2..;2]);
        let (scale, shift) = output.view().split_at(Axis(1), moved.ncols());
        moved *= &scale.mapv(|s| s.clamp(-clip, clip).exp());
        moved += &shift;
        moved.mapv_inplace(tame);
    }
}

/// The number, within reach: what no net is made for would spoil what the other rows tell.
fn tame(u: f64) -> f64 {
    if u.is_nan() {
        0.0
    } else {
        u.clamp(-FARTHEST, FARTHEST)
    }
}

/// (value − mean) / std, for the columns from `start`.
fn standardized(flow: &Flow, start: usize, values: &Array2<f32>) -> Array2<f64> {
    Array2::from_shape_fn(values.dim(), |(row, column)| {
        let mean = f64::from(flow.mean[start + column]);
        let std = f64::from(flow.std[start + column]);
        tame((f64::from(values[[row, column]]) - mean) / std)
    })
}

fn samples(
    flow: &Flow,
    model: &Model<'_>,
    context: &Array2<f32>,
    rng: &mut Generator,
) -> Result<Array2<f32>, Error> {
    let noise = normal(context.nrows(), flow.dim, rng);
    let step_count = match flow.kind {
        FlowKind::RealNvp { .. } => None,
        FlowKind::FlowMatching { step_count } => NonZeroU16::new(step_count.min(MOST_STEPS)),
    };
    Ok(transport(model, &noise, context, step_count)?)
}

/// Contexts as if their numbers were independent and normal.
fn normal_context(flow: &Flow, count: usize, rng: &mut Generator) -> Array2<f32> {
    let mut context = normal(count, flow.context_dim, rng);
    for (i, mut column) in context.axis_iter_mut(Axis(1)).enumerate() {
        let (mean, std) = (flow.mean[flow.dim + i], flow.std[flow.dim + i]);
        column.mapv_inplace(|c| mean + std * c);
    }
    context
}

fn normal(rows: usize, columns: usize, rng: &mut Generator) -> Array2<f32> {
    Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(rng))
}

/// `count` rows, the same ones again where there are fewer.
fn cycled<A: Clone>(rows: &Array2<A>, count: usize) -> Array2<A> {
    let index: Vec<usize> = (0..count).map(|i| i % rows.nrows()).collect();
    rows.select(Axis(0), &index)
}
