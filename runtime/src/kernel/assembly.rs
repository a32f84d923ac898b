//! Integer layers in assembly: from slices to the arguments of this target's kernel.
//!
//! Each kernel computes whole layers. Four sums stay in registers while the weights of a block are
//! read once, in their order; then the activations of the four outputs are stored.

#[cfg_attr(assembly = "dsp", path = "assembly/dsp.rs")]
#[cfg_attr(assembly = "armv7m", path = "assembly/armv7m.rs")]
#[cfg_attr(assembly = "armv6m", path = "assembly/armv6m.rs")]
#[cfg_attr(assembly = "rv32im", path = "assembly/rv32im.rs")]
mod target;

use super::{ELU, Finish, Layer, SEGMENTS_BELOW_0, TANH};
use crate::format::{first_block_len, next_block_len};

/// What a kernel reads, at these offsets: nine words.
#[repr(C)]
struct Arguments {
    blocks: *const u32,
    input: *const u32,
    input_end: *const u32,
    /// At least one block before `out_end`.
    out: *mut u32,
    out_end: *mut u32,
    /// The entry of the segment above 0.
    table: *const u32,
    shift: u32,
    exponent: u32,
    /// 0 for tanh, 1 for elu, 2 for neither.
    finish: u32,
}

/// A layer that reads fixed-point numbers of 32 bits.
pub(crate) fn first_layer(layer: &Layer<'_>, q: &[u32], out: &mut [u32], finish: Finish) {
    if let Some(arguments) = first_arguments(layer, q, out, finish) {
        #[allow(
            unsafe_code,
            reason = "the slices have the lengths that the kernel reads and writes"
        )]
        unsafe {
            target::first_layer(&arguments);
        }
    }
}

/// A layer that reads the activations of the one before it.
pub(crate) fn next_layer(layer: &Layer<'_>, x: &[u32], out: &mut [u32], finish: Finish) {
    if let Some(arguments) = next_arguments(layer, x, out, finish) {
        #[allow(
            unsafe_code,
            reason = "the slices have the lengths that the kernel reads and writes, and x is not empty"
        )]
        unsafe {
            target::next_layer(&arguments);
        }
    }
}

/// Instead of [`first_layer`], has `call` call the function at the first address with the second as
/// its argument.
#[cfg(feature = "kernels")]
pub(super) fn first_layer_by(
    layer: &Layer<'_>,
    q: &[u32],
    out: &mut [u32],
    finish: Finish,
    call: impl FnOnce(*const (), *const ()),
) {
    if let Some(arguments) = first_arguments(layer, q, out, finish) {
        call(
            target::first_layer as *const (),
            (&raw const arguments).cast(),
        );
    }
}

/// Instead of [`next_layer`], as [`first_layer_by`].
#[cfg(feature = "kernels")]
pub(super) fn next_layer_by(
    layer: &Layer<'_>,
    x: &[u32],
    out: &mut [u32],
    finish: Finish,
    call: impl FnOnce(*const (), *const ()),
) {
    if let Some(arguments) = next_arguments(layer, x, out, finish) {
        call(
            target::next_layer as *const (),
            (&raw const arguments).cast(),
        );
    }
}

#[inline(always)]
fn first_arguments(
    layer: &Layer<'_>,
    q: &[u32],
    out: &mut [u32],
    finish: Finish,
) -> Option<Arguments> {
    let q = q.get(..layer.inputs).unwrap_or_default();
    arguments(layer, first_block_len(q.len()), q, out, finish)
}

/// None also where there is no input: the kernels read before they count.
#[inline(always)]
fn next_arguments(
    layer: &Layer<'_>,
    x: &[u32],
    out: &mut [u32],
    finish: Finish,
) -> Option<Arguments> {
    let x = x.get(..2 * layer.inputs.div_ceil(4))?;
    if x.is_empty() {
        return None;
    }
    arguments(layer, next_block_len(layer.inputs), x, out, finish)
}

/// None where the blocks that fill `out` are not there, or none is to be filled.
#[inline(always)]
fn arguments(
    layer: &Layer<'_>,
    block_len: usize,
    input: &[u32],
    out: &mut [u32],
    finish: Finish,
) -> Option<Arguments> {
    let (finish, table, out_len) = match finish {
        Finish::Tanh => (0, TANH.as_slice(), 2),
        Finish::Elu => (1, ELU.as_slice(), 2),
        Finish::Linear => (2, [].as_slice(), 4),
    };
    let block_count = out.len() / out_len;
    let out = out.get_mut(..block_count * out_len)?.as_mut_ptr_range();
    let blocks = layer.blocks.get(..block_count.checked_mul(block_len)?)?;
    let input = input.as_ptr_range();
    (block_count > 0).then_some(Arguments {
        blocks: blocks.as_ptr(),
        input: input.start,
        input_end: input.end,
        out: out.start,
        out_end: out.end,
        table: table.as_ptr().wrapping_add(SEGMENTS_BELOW_0),
        shift: layer.shift,
        exponent: layer.exponent,
        finish,
    })
}
