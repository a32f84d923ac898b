//! A net of a model, evaluated where it lies.

use crate::format::{Net, Precision};
use crate::kernel::{self, Word};
use crate::scratch::Buffers;

/// One net: its shape and its slice of the model's numbers.
pub(crate) struct Mlp<'m> {
    pub(crate) net: &'m Net,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// For each layer the biases, then the weights.
    pub(crate) words: &'m [Word],
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
        match self.net.precision {
            Precision::F32 => self.evaluate_f32(input, buffers),
        }
    }

    fn evaluate_f32<'s>(
        &self,
        input: impl Iterator<Item = f32>,
        buffers: &'s mut Buffers<'_>,
    ) -> &'s mut [f32] {
        let (mut x, mut y) = (&mut *buffers.0, &mut *buffers.1);
        head(x, self.inputs).fill(0.0);
        x.iter_mut().zip(input).for_each(|(x, value)| *x = value);

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
}

/// Evaluates the first layer of `words` and returns those that follow it.
fn layer<'m>(words: &'m [Word], x: &[f32], y: &mut [f32]) -> &'m [Word] {
    let (bias, words) = split(words, y.len());
    let (weight, words) = split(words, x.len() * y.len());
    kernel::dense(bias, weight, x, y);
    words
}

/// The first `n` words and the rest; a loaded model has them.
fn split(words: &[Word], n: usize) -> (&[Word], &[Word]) {
    words.split_at_checked(n).unwrap_or_default()
}

/// The first `n` values; buffers are checked to have them.
fn head(values: &mut [f32], n: usize) -> &mut [f32] {
    values.get_mut(..n).unwrap_or_default()
}
