//! The memory that a flow works in.

use crate::error::Error;
use crate::format::{MAX_DIM, MAX_WIDTH};
use crate::kernel::memory::floats_mut;

/// Enough for any model.
pub const MAX_SCRATCH_LEN: usize = 2 * MAX_WIDTH + MAX_DIM;

/// Working memory for one flow, `LEN` words of 32 bits.
///
/// [`Model::scratch_len`](crate::Model::scratch_len) and `flowlet inspect` tell how many words a
/// model needs; more do no harm. One scratch serves any number of models, one after another.
///
/// ```
/// let scratch = flowlet::Scratch::<34>::new();
/// assert_eq!(size_of_val(&scratch), 4 * 34);
/// ```
#[derive(Clone, Debug)]
pub struct Scratch<const LEN: usize> {
    words: [u32; LEN],
}

impl<const LEN: usize> Scratch<LEN> {
    /// Zeroed memory, also for a `static`.
    pub const fn new() -> Self {
        Self { words: [0; LEN] }
    }

    /// Lends out what a model with buffers of this length and points of this dimension needs.
    ///
    /// # Errors
    ///
    /// [`Error::Scratch`] where that is more than `LEN` words.
    pub(crate) fn workspace(
        &mut self,
        buffer_len: usize,
        dim: usize,
    ) -> Result<Workspace<'_>, Error> {
        workspace(&mut self.words, buffer_len, dim)
    }
}

/// Cuts words to a model's size.
///
/// # Errors
///
/// [`Error::Scratch`] where they are too few.
#[inline]
pub(crate) fn workspace(
    words: &mut [u32],
    buffer_len: usize,
    dim: usize,
) -> Result<Workspace<'_>, Error> {
    let short = Error::Scratch {
        expected: 2 * buffer_len + dim,
        found: words.len(),
    };
    let (x, rest) = words.split_at_mut_checked(buffer_len).ok_or(short)?;
    let (y, rest) = rest.split_at_mut_checked(buffer_len).ok_or(short)?;
    let (point, _) = rest.split_at_mut_checked(dim).ok_or(short)?;
    Ok(Workspace {
        buffers: Buffers(x, y),
        point: floats_mut(point),
    })
}

impl<const LEN: usize> Default for Scratch<LEN> {
    fn default() -> Self {
        Self::new()
    }
}

/// A scratch, cut to a model's size.
#[derive(Debug)]
pub(crate) struct Workspace<'s> {
    /// Two layers of a net.
    pub(crate) buffers: Buffers<'s>,
    /// One number a dimension: a copy of a point, or its velocity.
    pub(crate) point: &'s mut [f32],
}

impl Workspace<'_> {
    pub(crate) fn reborrow(&mut self) -> Workspace<'_> {
        Workspace {
            buffers: Buffers(self.buffers.0, self.buffers.1),
            point: self.point,
        }
    }
}

/// The layer that is read and the layer that is written, each with room for the largest.
#[derive(Debug)]
pub(crate) struct Buffers<'s>(pub(crate) &'s mut [u32], pub(crate) &'s mut [u32]);
