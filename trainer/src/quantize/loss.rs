//! What a model loses when its nets become integers.

use flowlet::Model;
use ndarray::{Array2, Axis, Slice};

use crate::error::Error;
use crate::evaluation::{POINTS, nll, standardize};
use crate::inference::{noise, transport};
use crate::metrics::{energy_distance, sliced_w2};

/// A figure of a model in `f32` and of the same model with integer nets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// By nets in `f32`.
    pub f32: f64,
    /// By integer nets.
    pub int8: f64,
}

impl Pair {
    /// How much the figure grows.
    pub fn growth(&self) -> f64 {
        self.int8 - self.f32
    }
}

/// A model's figures on one set of points, before and after.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// Of a RealNVP.
    RealNvp {
        /// Mean of `−ln p(x)` over the points, in standardized nats.
        nll: Pair,
    },
    /// Of a flow-matching model: how far as many samples are from the points, both standardized.
    FlowMatching {
        /// Sliced Wasserstein-2 distance.
        sliced_w2: Pair,
        /// Energy distance.
        energy_distance: Pair,
    },
}

/// Compares two forms of a model on points that neither was calibrated on, best of all.
///
/// # Errors
///
/// [`Error::Runtime`] where the points or contexts are not the models'.
pub fn loss(
    float: &Model<'_>,
    integer: &Model<'_>,
    points: &Array2<f32>,
    context: &Array2<f32>,
    seed: u64,
) -> Result<Loss, Error> {
    let (points, context) = (first(points), first(context));
    if let (Some(f32), Some(int8)) = (
        nll(float, &points, &context)?,
        nll(integer, &points, &context)?,
    ) {
        let nll = Pair { f32, int8 };
        return Ok(Loss::RealNvp { nll });
    }
    let noise = noise(points.nrows(), float.dim(), seed);
    let samples = |model| -> Result<_, Error> {
        let samples = transport(model, &noise, &context, None)?;
        Ok(standardize(float, &samples))
    };
    let (by_float, by_integer) = (samples(float)?, samples(integer)?);
    let points = standardize(float, &points);
    let pair = |distance: fn(_, _) -> f64| Pair {
        f32: distance(by_float.view(), points.view()),
        int8: distance(by_integer.view(), points.view()),
    };
    Ok(Loss::FlowMatching {
        sliced_w2: pair(sliced_w2),
        energy_distance: pair(energy_distance),
    })
}

/// As many rows as figures are computed on.
fn first(rows: &Array2<f32>) -> Array2<f32> {
    let count = rows.nrows().min(POINTS);
    rows.slice_axis(Axis(0), Slice::from(..count)).to_owned()
}
