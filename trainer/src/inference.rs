//! Trained models on the host: whole tables at a time, by the runtime crate.
//!
//! Rows are independent, so threads change nothing in a result.

use std::num::NonZeroU16;

use flowlet::{Flow, MAX_SCRATCH_LEN, Model, Scratch, StandardNormal};
use ndarray::{Array2, CowArray, Ix2};
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
///
/// # Panics
///
/// If `context` has another number of rows.
pub fn transport(
    model: &Model<'_>,
    noise: &Array2<f32>,
    context: &Array2<f32>,
    step_count: Option<NonZeroU16>,
) -> Result<Array2<f32>, flowlet::Error> {
    assert_eq!(noise.nrows(), context.nrows(), "each row has its context");
    let flow = model.flow();
    let context = context.as_standard_layout();
    let mut samples = noise.as_standard_layout().into_owned();
    rows_mut(&mut samples).try_for_each_init(
        Scratch::<MAX_SCRATCH_LEN>::new,
        |scratch, (i, x)| match flow {
            Flow::RealNvp(flow) => flow.inverse(x, row(&context, i), scratch),
            Flow::VelocityField(field) => {
                let step_count = step_count.unwrap_or(field.step_count());
                field.euler(x, step_count, row(&context, i), scratch)
            }
        },
    )?;
    Ok(samples)
}

/// `ln p(x)` in nats for each row of `points` `[n, dim]`, given its row of `context`.
///
/// # Errors
///
/// [`flowlet::Error::NotRealNvp`], else as [`transport`].
///
/// # Panics
///
/// If `context` has another number of rows.
pub fn log_probs(
    model: &Model<'_>,
    points: &Array2<f32>,
    context: &Array2<f32>,
) -> Result<Vec<f32>, flowlet::Error> {
    assert_eq!(points.nrows(), context.nrows(), "each row has its context");
    let flow = model.real_nvp()?;
    let (points, context) = (points.as_standard_layout(), context.as_standard_layout());
    (0..points.nrows())
        .into_par_iter()
        .map_init(Scratch::<MAX_SCRATCH_LEN>::new, |scratch, i| {
            flow.log_prob(row(&points, i), row(&context, i), scratch)
        })
        .collect()
}

fn row<'a>(table: &'a CowArray<'_, f32, Ix2>, i: usize) -> &'a [f32] {
    table.row(i).to_slice().expect(STANDARD)
}

/// The rows of a table, each with its index.
fn rows_mut(table: &mut Array2<f32>) -> impl IndexedParallelIterator<Item = (usize, &mut [f32])> {
    // A table without columns has no numbers, but rows of none cannot be told apart.
    let columns = table.ncols().max(1);
    let numbers = table.as_slice_mut().expect(STANDARD);
    numbers.par_chunks_mut(columns).enumerate()
}

const STANDARD: &str = "the layout is standard";
