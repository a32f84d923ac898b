//! Trained models on the host: whole tables at a time, by the runtime crate.
//!
//! Rows are independent, so threads change nothing in a result.

use std::num::NonZeroU16;

use flowlet::{Flow, MAX_SCRATCH_LEN, Model, Scratch, StandardNormal};
use ndarray::{Array2, ArrayView2};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;
use rayon::prelude::*;

/// Standard normal noise `[n, dim]`, the same as a board with this seed draws.
pub fn noise(n: usize, dim: usize, seed: u64) -> Array2<f32> {
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(seed);
    Array2::from_shape_simple_fn((n, dim), || StandardNormal.sample(&mut rng))
}

/// Takes noise `[n, dim]` to samples `[n, dim]`, each given its row of `context`
/// `[n, context_dim]`.
///
/// `step_count` is for flow matching, where it replaces the model's own.
///
/// # Errors
///
/// [`flowlet::Error::Dim`] or [`flowlet::Error::Context`] where the tables do not fit the model.
pub fn transport(
    model: &Model<'_>,
    noise: &Array2<f32>,
    context: &Array2<f32>,
    step_count: Option<NonZeroU16>,
) -> Result<Array2<f32>, flowlet::Error> {
    let flow = model.flow();
    let mut samples = rows(noise.view(), context.view());
    samples.par_iter_mut().try_for_each_init(
        Scratch::<MAX_SCRATCH_LEN>::new,
        |scratch, (x, context)| match flow {
            Flow::RealNvp(flow) => flow.inverse(x, context, scratch),
            Flow::VelocityField(field) => {
                let step_count = step_count.unwrap_or(field.step_count());
                field.euler(x, step_count, context, scratch)
            }
        },
    )?;
    let numbers = samples.into_iter().flat_map(|(x, _)| x).collect();
    Ok(Array2::from_shape_vec(noise.dim(), numbers).expect("every row keeps its length"))
}

/// `ln p(x)` in nats for each row of `points` `[n, dim]`, given its row of `context`.
///
/// # Errors
///
/// [`flowlet::Error::NotRealNvp`], else as [`transport`].
pub fn log_probs(
    model: &Model<'_>,
    points: &Array2<f32>,
    context: &Array2<f32>,
) -> Result<Vec<f32>, flowlet::Error> {
    let flow = model.real_nvp()?;
    rows(points.view(), context.view())
        .par_iter()
        .map_init(Scratch::<MAX_SCRATCH_LEN>::new, |scratch, (x, context)| {
            flow.log_prob(x, context, scratch)
        })
        .collect()
}

fn rows(points: ArrayView2<'_, f32>, context: ArrayView2<'_, f32>) -> Vec<(Vec<f32>, Vec<f32>)> {
    let rows = points.rows().into_iter().zip(context.rows());
    rows.map(|(x, context)| (x.to_vec(), context.to_vec()))
        .collect()
}
