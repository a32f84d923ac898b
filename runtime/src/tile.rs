//! Points side by side: what a batch is worked on in.

use core::fmt;
use core::num::NonZeroUsize;

use crate::error::Error;
use crate::format::{MAX_CONTEXT_DIM, MAX_DIM, MAX_WIDTH};
use crate::model::Model;

/// Points that are worked on at a time.
pub(crate) const TILE: usize = 64;

/// One number of each point of a tile.
pub(crate) type Lanes = [f32; TILE];
/// One word of each point of a tile.
pub(crate) type Row = [u32; TILE];

/// Rows of the widest layer: two activations a word.
const MAX_ROWS: usize = MAX_WIDTH / 2;
/// Outputs of the widest last layer: a scale and a shift for half the dimensions, or a velocity.
const MAX_OUTPUTS: usize = MAX_DIM;

/// Working memory for a batch of points of any model; a host's, at 104 KB.
///
/// One scratch serves any number of batches and models, one after another, but one thread at a time.
///
/// ```
/// use flowlet::{BatchScratch, Model, include_model};
///
/// let model = Model::from_bytes(include_model!("moons.flow"))?;
/// let mut scratch = BatchScratch::new();
/// let points = [0.0, 1.0, 4.0, 4.0];
/// let mut log_probs = [0.0; 2];
/// model
///     .real_nvp()?
///     .log_prob_batch(&points, &[], &mut log_probs, &mut scratch)?;
/// assert!(log_probs[0] > -1.0 && log_probs[1] < -100.0);
/// # Ok::<(), flowlet::Error>(())
/// ```
#[derive(Clone)]
#[repr(C, align(64))]
pub struct BatchScratch {
    layers: [[Row; MAX_ROWS]; 2],
    outputs: [Lanes; MAX_OUTPUTS],
    points: [Lanes; MAX_DIM],
    contexts: [Lanes; MAX_CONTEXT_DIM],
}

/// A batch's sizes, checked.
pub(crate) struct Batch {
    dim: NonZeroUsize,
    context_dim: usize,
}

/// Up to [`TILE`] points in a scratch.
pub(crate) struct Tile<'s> {
    /// One row a dimension.
    pub(crate) points: &'s mut [Lanes],
    /// One row a context number, standardized.
    pub(crate) contexts: &'s [Lanes],
    pub(crate) memory: NetMemory<'s>,
}

/// What a net works in.
pub(crate) struct NetMemory<'s> {
    /// Points that are there; other lanes may hold anything.
    pub(crate) count: usize,
    /// The layer that is read and the layer that is written.
    pub(crate) layers: &'s mut [[Row; MAX_ROWS]; 2],
    /// One row an output.
    pub(crate) outputs: &'s mut [Lanes; MAX_OUTPUTS],
}

impl Batch {
    /// The sizes of `points` numbers, each point with its row of `contexts`.
    ///
    /// # Errors
    ///
    /// [`Error::Batch`].
    pub(crate) fn new(model: &Model<'_>, points: usize, contexts: &[f32]) -> Result<Self, Error> {
        let dim = NonZeroUsize::new(model.dim()).unwrap_or(NonZeroUsize::MIN);
        let context_dim = model.context_dim();
        check_len(points.next_multiple_of(dim.get()), points)?;
        check_len(points / dim * context_dim, contexts.len())?;
        Ok(Self { dim, context_dim })
    }

    /// Points in `points` numbers.
    pub(crate) fn count(&self, points: usize) -> usize {
        points / self.dim
    }

    /// Numbers of a tile's points.
    pub(crate) fn tile_len(&self) -> usize {
        self.dim.get() * TILE
    }

    /// What is left of `contexts` from each tile on.
    pub(crate) fn contexts<'c>(&self, contexts: &'c [f32]) -> impl Iterator<Item = &'c [f32]> {
        let tile_len = self.context_dim * TILE;
        (0..).map(move |tile| contexts.get(tile * tile_len..).unwrap_or_default())
    }
}

/// That a table has as many numbers as it should.
pub(crate) fn check_len(expected: usize, found: usize) -> Result<(), Error> {
    if expected == found {
        Ok(())
    } else {
        Err(Error::Batch { expected, found })
    }
}

impl BatchScratch {
    /// Zeroed memory.
    pub const fn new() -> Self {
        Self {
            layers: [[[0; TILE]; MAX_ROWS]; 2],
            outputs: [[0.0; TILE]; MAX_OUTPUTS],
            points: [[0.0; TILE]; MAX_DIM],
            contexts: [[0.0; TILE]; MAX_CONTEXT_DIM],
        }
    }

    /// Lays the first [`TILE`] of `points` `[n, dim]` and of `contexts` `[n, context_dim]` side by
    /// side.
    pub(crate) fn load(&mut self, model: &Model<'_>, points: &[f32], contexts: &[f32]) -> Tile<'_> {
        let (dim, context_dim) = (model.dim(), model.context_dim());
        let contexts = transposed(contexts, context_dim, &mut self.contexts);
        model.context_standardization().forward(contexts);
        Tile {
            points: transposed(points, dim, &mut self.points),
            contexts,
            memory: NetMemory {
                count: TILE.min(points.len() / dim.max(1)),
                layers: &mut self.layers,
                outputs: &mut self.outputs,
            },
        }
    }
}

impl Default for BatchScratch {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for BatchScratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchScratch").finish_non_exhaustive()
    }
}

impl Tile<'_> {
    /// Writes the points back, `[count, dim]`.
    pub(crate) fn store(&self, points: &mut [f32]) {
        let dim = self.points.len().max(1);
        for (i, row) in self.points.iter().enumerate() {
            let column = points.iter_mut().skip(i).step_by(dim);
            column.zip(row).for_each(|(x, lane)| *x = *lane);
        }
    }
}

/// Writes `values` `[n, dim]` to `dim` rows.
fn transposed<'s>(values: &[f32], dim: usize, rows: &'s mut [Lanes]) -> &'s mut [Lanes] {
    let rows = rows.get_mut(..dim).unwrap_or_default();
    for (i, row) in rows.iter_mut().enumerate() {
        let column = values.iter().skip(i).step_by(dim.max(1));
        row.iter_mut().zip(column).for_each(|(lane, x)| *lane = *x);
    }
    rows
}
