//! What a model loses when its nets become integers.

use flowlet::Model;
use ndarray::{Array2, Axis};

use crate::data::evenly;
use crate::error::Error;
use crate::evaluation::{POINTS, nll, standardize};
use crate::inference::{noise, transport};
use crate::metrics::{energy_distances, sliced_w2s};

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

/// A model's figures on one set of points, before and after, all in standardized space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loss {
    /// Mean of `−ln p(x)` over the points in nats; none for flow matching.
    pub nll: Option<Pair>,
    /// [Sliced Wasserstein-2 distance](crate::metrics::sliced_w2) of as many samples to the points.
    pub sliced_w2: Pair,
    /// [Energy distance](crate::metrics::energy_distance) of the samples to the points.
    pub energy_distance: Pair,
}

/// Compares two forms of a model on points that neither was calibrated on, best of all.
///
/// At most [`POINTS`] count, from all over the table. Both forms make their samples of the same
/// noise. Figures are NaN or infinite where points lie farther out than `f32` reaches.
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
    let index = evenly(points.nrows(), POINTS);
    let points = points.select(Axis(0), &index);
    let context = context.select(Axis(0), &index);
    let nlls = nll(float, &points, &context)?.zip(nll(integer, &points, &context)?);

    let noise = noise(points.nrows(), float.dim(), seed);
    let samples = |model| -> Result<_, Error> {
        let samples = transport(model, &noise, &context, None)?;
        Ok(standardize(float, &samples))
    };
    let samples = [samples(float)?, samples(integer)?];
    let sets = samples.each_ref().map(|set| set.view());
    let points = standardize(float, &points);
    let sliced_w2s = sliced_w2s(&sets, points.view());
    let energy_distances = energy_distances(&sets, points.view());
    let pair = |(f32, int8)| Pair { f32, int8 };
    Ok(Loss {
        nll: nlls.map(pair),
        sliced_w2: pair((sliced_w2s[0], sliced_w2s[1])),
        energy_distance: pair((energy_distances[0], energy_distances[1])),
    })
}
