//! Nets in integers: 8-bit weights, 16-bit activations, 32-bit sums.
//!
//! For each layer a header word, then blocks of four outputs in the order in which the kernels read.

use super::{Mlp, head, split};
use crate::format::{Activation, first_block_len, next_block_len};
use crate::kernel::memory::floats_mut;
use crate::kernel::{FRACTION_BITS, Finish, INPUT_LIMIT, Layer, first_layer, next_layer};
use crate::scratch::Buffers;

/// A layer of a net, as the model's words have it.
pub(super) struct Segment<'m> {
    pub(super) header: Header,
    pub(super) blocks: &'m [u32],
    pub(super) block_len: usize,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) is_first: bool,
    pub(super) finish: Finish,
}

/// What a layer's first word says.
#[derive(Clone, Copy, Default)]
pub(super) struct Header {
    /// Sums, once multiplied, are in units of `2^(shift − 20)`.
    pub(super) shift: u8,
    /// Fractional bits of the net's input; 0 but for the first layer.
    pub(super) input_bits: u8,
    /// Activations are in units of `2^(exponent − 15)`; 0 but for hidden layers of elu.
    pub(super) exponent: u8,
    /// 0.
    pub(super) reserved: u8,
}

impl Header {
    fn from_word(word: &u32) -> Self {
        let [shift, input_bits, exponent, reserved] = word.to_ne_bytes();
        Self {
            shift,
            input_bits,
            exponent,
            reserved,
        }
    }
}

impl<'m> Mlp<'m> {
    pub(super) fn evaluate_int8<'s>(&self, buffers: &'s mut Buffers<'_>) -> &'s mut [f32] {
        let (mut first, mut last) = (Header::default(), Header::default());
        for layer in self.segments() {
            last = layer.header;
            if layer.is_first {
                first = last;
            }
        }
        let scale = exp2(first.input_bits.into());
        let mut not_a_number = false;
        for q in head(buffers.0, self.inputs) {
            let u = f32::from_bits(*q);
            not_a_number |= u.is_nan();
            let fixed = (u * scale) as i32;
            *q = fixed.clamp(-INPUT_LIMIT, INPUT_LIMIT).cast_unsigned();
        }
        let unit = match not_a_number {
            true => f32::NAN,
            false => exp2(i32::from(last.shift) - FRACTION_BITS.cast_signed()),
        };
        let outputs = self.evaluate_fixed(buffers.0, buffers.1);
        for y in &mut *outputs {
            *y = (y.cast_signed() as f32 * unit).to_bits();
        }
        floats_mut(outputs)
    }

    /// Takes the fixed-point inputs in `x` to fixed-point outputs, in `x` or `y`.
    pub(crate) fn evaluate_fixed<'s>(
        &self,
        mut x: &'s mut [u32],
        mut y: &'s mut [u32],
    ) -> &'s mut [u32] {
        for segment in self.segments() {
            let layer = Layer {
                blocks: segment.blocks,
                inputs: segment.inputs,
                shift: segment.header.shift.into(),
                exponent: segment.header.exponent.into(),
            };
            match segment.is_first {
                true => first_layer(&layer, x, y, segment.finish),
                false => next_layer(&layer, x, y, segment.finish),
            }
            core::mem::swap(&mut x, &mut y);
        }
        head(x, self.outputs)
    }

    /// The layers, first to last.
    pub(super) fn segments(&self) -> impl Iterator<Item = Segment<'m>> {
        let hidden = self.net.hidden.iter().map(|width| usize::from(*width));
        let activation = match self.net.activation {
            Activation::Tanh => Finish::Tanh,
            Activation::Elu => Finish::Elu,
        };
        let layers = hidden.map(move |width| (width, activation));
        let (mut words, mut inputs, mut is_first) = (self.words, self.inputs, true);
        let last = (self.outputs, Finish::Linear);
        layers.chain([last]).map(move |(outputs, finish)| {
            let block_len = match is_first {
                true => first_block_len(inputs),
                false => next_block_len(inputs),
            };
            let (header, rest) = split(words, 1);
            let (blocks, rest) = split(rest, outputs.div_ceil(4) * block_len);
            words = rest;
            Segment {
                header: header
                    .first()
                    .map_or_else(Header::default, Header::from_word),
                blocks,
                block_len,
                inputs: core::mem::replace(&mut inputs, outputs),
                outputs,
                is_first: core::mem::take(&mut is_first),
                finish,
            }
        })
    }
}

/// `2^n` for n from −126 to 127.
fn exp2(n: i32) -> f32 {
    f32::from_bits(((n + 127) as u32) << 23)
}
