//! Nets in integers: 8-bit weights, 16-bit activations, 32-bit sums.
//!
//! For each layer a header word, then blocks of four outputs in the order in which the kernels read.

use super::{Mlp, head, split};
use crate::format::{Activation, first_block_len, next_block_len};
use crate::kernel::memory::floats_mut;
use crate::kernel::{FRACTION_BITS, Finish, Layer, first_layer, fixed, next_layer};
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

impl Segment<'_> {
    /// Words that the layer writes: whole blocks of four outputs.
    fn output_len(&self) -> usize {
        let padded = self.outputs.next_multiple_of(4);
        match self.finish {
            Finish::Linear => padded,
            Finish::Tanh | Finish::Elu => padded / 2,
        }
    }
}

/// What a layer's first word says.
#[derive(Clone, Copy, Default)]
pub(crate) struct Header {
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

impl<'m> Segment<'m> {
    /// What the kernels read.
    pub(super) fn layer(&self) -> Layer<'m> {
        Layer {
            blocks: self.blocks,
            inputs: self.inputs,
            shift: self.header.shift.into(),
            exponent: self.header.exponent.into(),
        }
    }
}

impl<'m> Mlp<'m> {
    pub(super) fn evaluate_int8<'s>(&self, buffers: &'s mut Buffers<'_>) -> &'s mut [f32] {
        let first = self.words.first().map(Header::from_word);
        let scale = input_scale(first.unwrap_or_default());
        let mut not_a_number = false;
        for q in head(buffers.0, self.inputs) {
            let u = f32::from_bits(*q);
            *q = fixed(u, scale).cast_unsigned();
            not_a_number |= u.is_nan();
        }
        let (outputs, last) = self.evaluate_fixed(buffers.0, buffers.1);
        let unit = match not_a_number {
            true => f32::NAN,
            false => output_unit(last),
        };
        for y in &mut *outputs {
            *y = (y.cast_signed() as f32 * unit).to_bits();
        }
        floats_mut(outputs)
    }

    /// Takes the fixed-point inputs in `x` to fixed-point outputs, in `x` or `y`, with the last
    /// layer's header.
    pub(crate) fn evaluate_fixed<'s>(
        &self,
        mut x: &'s mut [u32],
        mut y: &'s mut [u32],
    ) -> (&'s mut [u32], Header) {
        let mut last = Header::default();
        for segment in self.segments() {
            let layer = segment.layer();
            let out = head(y, segment.output_len());
            match segment.is_first {
                true => first_layer(&layer, x, out, segment.finish),
                false => next_layer(&layer, x, out, segment.finish),
            }
            core::mem::swap(&mut x, &mut y);
            last = segment.header;
        }
        (head(x, self.outputs), last)
    }

    /// What takes an input to fixed point, and the last layer's unit.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn scale_and_unit(&self) -> (f32, f32) {
        let mut headers = self.segments().map(|segment| segment.header);
        let first = headers.next().unwrap_or_default();
        let last = headers.last().unwrap_or(first);
        (input_scale(first), output_unit(last))
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

/// What takes an input to the fixed point of a net with this first layer.
fn input_scale(first: Header) -> f32 {
    exp2(first.input_bits.into())
}

/// What a 1 in the outputs of a net with this last layer stands for.
fn output_unit(last: Header) -> f32 {
    exp2(i32::from(last.shift) - FRACTION_BITS.cast_signed())
}

/// `2^n` for n from −126 to 127.
fn exp2(n: i32) -> f32 {
    f32::from_bits(((n + 127) as u32) << 23)
}
