//! The rows that nets are calibrated on, as they pass through a flow.

use flowlet::{Model, StandardNormal};
use ndarray::{Array2, ArrayView2, Axis, concatenate, s};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::error::Error;
use crate::flow::{Flow, FlowKind};
use crate::inference::transport;

/// Rows that are enough.
const ROWS: usize = 4096;

/// Every other sample is drawn from noise so many times wider, for what lies farther out.
const WIDE: f32 = 1.0;

/// Standard deviations beyond which a row says nothing.
const FARTHEST: f64 = 1000.0;

/// Fixed, so that one flow has one quantized form.
const SEED: u64 = 0x51AB;

/// Rows of data in their units.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// `[n, dim]`
    pub points: ArrayView2<'a, f32>,
    /// `[n, context_dim]`
    pub context: ArrayView2<'a, f32>,
}

/// Rows on their way through a flow.
#[derive(Debug)]
pub(super) struct Calibration {
    kind: FlowKind,
    /// In standardized space: data of a RealNVP, points between noise and data of a velocity field.
    state: Array2<f64>,
    /// What a net reads beside the state.
    context: Array2<f64>,
}

impl Calibration {
    pub(super) fn new(
        flow: &Flow,
        model: &Model<'_>,
        rows: Option<Rows<'_>>,
    ) -> Result<Self, Error> {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(SEED);
        let given = rows.map(evenly).unwrap_or_else(|| (Array2::zeros((0, flow.dim)), Array2::zeros((0, flow.context_dim))));
        let own = match flow.kind {
            FlowKind::FlowMatching { .. } if given.0.nrows() > 0 => 0,
            _ => ROWS - given.0.nrows().min(ROWS / 2),
        };
        let noise = Array2::from_shape_fn((own, flow.dim), |(row, _)| {
            let wide = if row % 2 == 1 { WIDE } else { 1.0 };
            wide * StandardNormal.sample(rng)
        });
        let context = if given.0.nrows() > 0 {
            cycled(&given.1, own)
        } else {
            Array2::from_shape_simple_fn((own, flow.context_dim), || StandardNormal.sample(rng))
        };
        let samples = transport(model, &noise, &context, None)?;
        let points = concatenate![Axis(0), given.0, samples];
        let context = concatenate![Axis(0), given.1, context].mapv(f64::from);
        let mean = ndarray::Array1::from_iter(flow.mean.iter().map(|m| f64::from(*m)));
        let std = ndarray::Array1::from_iter(flow.std.iter().map(|m| f64::from(*m)));
        let mut state = (points.mapv(f64::from) - &mean) / &std;
        tame(&mut state);
        Ok(match flow.kind {
            FlowKind::RealNvp { .. } => Self { kind: flow.kind, state, context },
            FlowKind::FlowMatching { .. } => {
                let state = cycled(&state, ROWS);
                let context = cycled(&context, ROWS);
                let time = Array2::from_shape_simple_fn((ROWS, 1), || rng.random::<f64>());
                let noise = Array2::from_shape_fn((ROWS, flow.dim), |_| f64::from(StandardNormal.sample(rng)));
                let state = &noise * &(1.0 - &time) + &state * &time;
                Self { kind: flow.kind, state, context: concatenate![Axis(1), time, context] }
            }
        })
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
        let count = moved.ncols();
        let (scale, shift) = output.view().split_at(Axis(1), count);
        moved *= &scale.mapv(|s| s.clamp(-clip, clip).exp());
        moved += &shift;
        tame(&mut self.state);
    }
}

/// Brings what no net is made for within reach, lest it spoils what is learnt from the other rows.
fn tame(state: &mut Array2<f64>) {
    state.mapv_inplace(|u| if u.is_nan() { 0.0 } else { u.clamp(-FARTHEST, FARTHEST) });
}

/// Rows from all over the table.
fn evenly(rows: Rows<'_>) -> (Array2<f32>, Array2<f32>) {
    let count = rows.points.nrows().min(ROWS);
    let index: Vec<usize> = (0..count).map(|i| i * rows.points.nrows() / count).collect();
    (rows.points.select(Axis(0), &index), rows.context.select(Axis(0), &index))
}

/// `count` rows, the same ones again where there are fewer.
fn cycled<A: Clone>(rows: &Array2<A>, count: usize) -> Array2<A> {
    let index: Vec<usize> = (0..count).map(|i| i % rows.nrows()).collect();
    rows.select(Axis(0), &index)
}
