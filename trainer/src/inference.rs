//! Trained models on the host: whole tables at a time, by the runtime crate.
//!
//! Rows are independent, so threads change nothing in a result.

use std::num::NonZeroU16;

use flowlet::{BatchScratch, Flow, Model, StandardNormal};
use ndarray::{Array2, CowArray, Ix2};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro128PlusPlus;
use rayon::prelude::*;

/// Rows that a thread works on at a time: a multiple of what the runtime takes side by side, enough
/// to outweigh the start.
const CHUNK: usize = 256;

/// Standard normal noise `[n, dim]`, the same as a board with this seed draws.
pub fn noise(n: usize, dim: usize, seed: u64) -> Array2<f32> {
    Noise::new(dim, seed).rows(n)
}

/// The same noise as [`noise`], some rows at a time.
#[derive(Clone, Debug)]
pub struct Noise {
    dim: usize,
    rng: Xoshiro128PlusPlus,
}

impl Noise {
    /// Noise of `dim` dimensions, from its first row on.
    pub fn new(dim: usize, seed: u64) -> Self {
        let rng = Xoshiro128PlusPlus::seed_from_u64(seed);
        Self { dim, rng }
    }

    /// The next `n` rows: `[n, dim]`.
    pub fn rows(&mut self, n: usize) -> Array2<f32> {
        Array2::from_shape_simple_fn((n, self.dim), || StandardNormal.sample(&mut self.rng))
    }
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
    check_columns(model, samples.ncols(), context.ncols())?;
    let tables = samples.as_slice_mut().expect(STANDARD);
    tables
        .par_chunks_mut(CHUNK * model.dim())
        .enumerate()
        .try_for_each_init(scratch, |scratch, (chunk, x)| {
            let context = rows(&context, chunk);
            match flow {
                Flow::RealNvp(flow) => flow.inverse_batch(x, context, scratch),
                Flow::VelocityField(field) => {
                    let step_count = step_count.unwrap_or(field.step_count());
                    field.euler_batch(x, step_count, context, scratch)
                }
            }
        })?;
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
    check_columns(model, points.ncols(), context.ncols())?;
    let mut log_probs = vec![0.0; points.nrows()];
    log_probs
        .par_chunks_mut(CHUNK)
        .enumerate()
        .try_for_each_init(scratch, |scratch, (chunk, log_probs)| {
            let (x, context) = (rows(&points, chunk), rows(&context, chunk));
            flow.log_prob_batch(x, context, log_probs, scratch)
        })?;
    Ok(log_probs)
}

/// Room for a batch, off the stack: while a thread waits for others, it may begin one more batch on top of
/// those it has under way, and so on.
#[inline(never)]
fn scratch() -> Box<BatchScratch> {
    Box::new(BatchScratch::new())
}

/// That a batch's rows are those of the tables: a batch knows only how many numbers there are.
pub(crate) fn check_columns(
    model: &Model<'_>,
    points: usize,
    context: usize,
) -> Result<(), flowlet::Error> {
    let (expected, found) = (model.dim(), points);
    if expected != found {
        return Err(flowlet::Error::Dim { expected, found });
    }
    let (expected, found) = (model.context_dim(), context);
    if expected != found {
        return Err(flowlet::Error::Context { expected, found });
    }
    Ok(())
}

/// The rows of a chunk, one after the other.
fn rows<'a>(table: &'a CowArray<'_, f32, Ix2>, chunk: usize) -> &'a [f32] {
    let start = chunk * CHUNK;
    let end = table.nrows().min(start + CHUNK);
    let columns = table.ncols();
    let numbers = table.as_slice().expect(STANDARD);
    &numbers[start * columns..end * columns]
}

const STANDARD: &str = "the layout is standard";
