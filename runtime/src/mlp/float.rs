//! Nets in `f32`: for each layer its biases, then its weights.

use super::{Mlp, head, split};
use crate::error::Error;
use crate::kernel::float::{dense, value};
use crate::kernel::memory::floats_mut;
use crate::scratch::Buffers;

impl Mlp<'_> {
    pub(super) fn evaluate_f32<'s>(&self, buffers: &'s mut Buffers<'_>) -> &'s mut [f32] {
        let (mut x, mut y) = (floats_mut(buffers.0), floats_mut(buffers.1));
        let mut inputs = self.inputs;
        let mut words = self.words;
        for &width in &self.net.hidden {
            let outputs = usize::from(width);
            words = layer(words, head(x, inputs), head(y, outputs));
            self.net.activation.apply(head(y, outputs));
            core::mem::swap(&mut x, &mut y);
            inputs = outputs;
        }
        layer(words, head(x, inputs), head(y, self.outputs));
        head(y, self.outputs)
    }

    pub(super) fn check_f32(&self) -> Result<(), Error> {
        if self.words.iter().map(value).all(f32::is_finite) {
            Ok(())
        } else {
            Err(Error::NotFinite)
        }
    }
}

/// Evaluates the first layer of `words` and returns those that follow it.
fn layer<'m>(words: &'m [u32], x: &[f32], y: &mut [f32]) -> &'m [u32] {
    let (bias, words) = split(words, y.len());
    let (weight, words) = split(words, x.len() * y.len());
    dense(bias, weight, x, y);
    words
}
