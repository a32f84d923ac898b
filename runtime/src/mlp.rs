//! A net of a model, evaluated where it lies.

mod check;
#[cfg(feature = "f32")]
mod float;
mod integer;
mod tile;

use crate::error::Error;
use crate::format::{Net, Precision};
use crate::kernel::memory::floats_mut;
use crate::scratch::Buffers;

/// One net: its shape and its slice of the model's words.
pub(crate) struct Mlp<'m> {
    pub(crate) net: &'m Net,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) words: &'m [u32],
}

impl Mlp<'_> {
    /// Evaluates the net on the numbers of `input` and returns its outputs.
    ///
    /// Numbers that `input` does not give count as 0, those beyond the net's inputs are left out.
    pub(crate) fn evaluate<'s>(
        &self,
        input: impl Iterator<Item = f32>,
        buffers: &'s mut Buffers<'_>,
    ) -> &'s mut [f32] {
        let x = head(floats_mut(buffers.0), self.inputs);
        x.fill(0.0);
        x.iter_mut().zip(input).for_each(|(x, value)| *x = value);
        self.evaluate_in(buffers)
    }

    /// Evaluates the net on the first buffer.
    // Once in the program, not once for each kind of input.
    #[inline(never)]
    fn evaluate_in<'s>(&self, buffers: &'s mut Buffers<'_>) -> &'s mut [f32] {
        match self.net.precision {
            #[cfg(feature = "f32")]
            Precision::F32 => self.evaluate_f32(buffers),
            #[cfg(not(feature = "f32"))]
            Precision::F32 => &mut [],
            Precision::Int8 => self.evaluate_int8(buffers),
        }
    }

    /// That the words are what a writer writes and no evaluation can overflow.
    ///
    /// # Errors
    ///
    /// [`Error::F32`], [`Error::NotFinite`], [`Error::Malformed`] or [`Error::Overflow`].
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.net.precision {
            #[cfg(feature = "f32")]
            Precision::F32 => self.check_f32(),
            #[cfg(not(feature = "f32"))]
            Precision::F32 => Err(Error::F32),
            Precision::Int8 => self.check_int8(),
        }
    }
}

/// The first `n` words and the rest; a loaded model has them.
fn split(words: &[u32], n: usize) -> (&[u32], &[u32]) {
    words.split_at_checked(n).unwrap_or_default()
}

/// The first `n` values; buffers are checked to have them.
fn head<T>(values: &mut [T], n: usize) -> &mut [T] {
    values.get_mut(..n).unwrap_or_default()
}
