//! Integer layers on x86-64 with AVX2, for one point or for many side by side.
//!
//! `VPMADDWD` multiplies two activations by two weights and adds the products: the layout of the file
//! is turned into pairs of 16-bit weights as it is read.

mod rim;
#[cfg(test)]
mod tests;
mod tile;

use core::arch::x86_64::*;
use core::sync::atomic::{AtomicU8, Ordering};

use super::memory::bytes;
use super::portable::{finish_each, mulw};
use super::{Finish, Layer};
use crate::format::next_block_len;
use crate::tile::{Lanes, Row};

/// The proof that the processor has AVX2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

/// What `detect` found, 0 for nothing yet. Threads that ask at once find the same.
static FOUND: AtomicU8 = AtomicU8::new(0);
const MISSING: u8 = 1;
const PRESENT: u8 = 2;

impl Avx2 {
    /// Asks the processor, once.
    pub(crate) fn detect() -> Option<Self> {
        let found = match FOUND.load(Ordering::Relaxed) {
            0 => {
                let found = if is_present() { PRESENT } else { MISSING };
                FOUND.store(found, Ordering::Relaxed);
                found
            }
            found => found,
        };
        (found == PRESENT).then_some(Self(()))
    }

    /// A layer that reads activations, for one point.
    pub(crate) fn next_layer(self, layer: &Layer<'_>, x: &[u32], out: &mut [u32], finish: Finish) {
        #[allow(unsafe_code, reason = "an `Avx2` proves that there is AVX2")]
        unsafe {
            next_layer(layer, x, out, finish);
        }
    }

    /// A layer that reads fixed-point numbers of 32 bits, for `count` points.
    pub(crate) fn first_layer_tile(
        self,
        layer: &Layer<'_>,
        q: &[Row],
        out: &mut [Row],
        finish: Finish,
        count: usize,
    ) {
        #[allow(unsafe_code, reason = "an `Avx2` proves that there is AVX2")]
        unsafe {
            tile::first_layer(layer, q, out, finish, count);
        }
    }

    /// A layer that reads activations, for `count` points.
    pub(crate) fn next_layer_tile(
        self,
        layer: &Layer<'_>,
        x: &[Row],
        out: &mut [Row],
        finish: Finish,
        count: usize,
    ) {
        #[allow(unsafe_code, reason = "an `Avx2` proves that there is AVX2")]
        unsafe {
            tile::next_layer(layer, x, out, finish, count);
        }
    }

    /// Takes inputs to fixed point, and the unit of a point with a NaN to NaN.
    pub(crate) fn quantize(self, u: &Lanes, scale: f32, q: &mut Row, units: &mut Lanes) {
        #[allow(unsafe_code, reason = "an `Avx2` proves that there is AVX2")]
        unsafe {
            rim::quantize(u, scale, q, units);
        }
    }

    /// Takes a net's sums to outputs, in each point's unit.
    pub(crate) fn dequantize(self, z: &Row, units: &Lanes, y: &mut Lanes) {
        #[allow(unsafe_code, reason = "an `Avx2` proves that there is AVX2")]
        unsafe {
            rim::dequantize(z, units, y);
        }
    }

    /// Takes each x, within ±80 or NaN, to `eˣ`.
    pub(crate) fn exp(self, x: &mut Lanes) {
        #[allow(unsafe_code, reason = "an `Avx2` proves that there is AVX2")]
        unsafe {
            rim::exp(x);
        }
    }
}

/// Whether the processor has AVX2 and the operating system keeps its registers: Intel's manual,
/// volume 1, section 14.7.1. The standard library's macro is not in `core`.
fn is_present() -> bool {
    const OSXSAVE_AND_AVX: u32 = 1 << 27 | 1 << 28;
    const XMM_AND_YMM: u64 = 0b110;
    const AVX2: u32 = 1 << 5;
    if __cpuid(0).eax < 7 || __cpuid(1).ecx & OSXSAVE_AND_AVX != OSXSAVE_AND_AVX {
        return false;
    }
    #[allow(unsafe_code, reason = "OSXSAVE says that there is XGETBV")]
    let kept = unsafe { _xgetbv(0) };
    kept & XMM_AND_YMM == XMM_AND_YMM && __cpuid_count(7, 0).ebx & AVX2 != 0
}

#[target_feature(enable = "avx2")]
fn next_layer(layer: &Layer<'_>, x: &[u32], out: &mut [u32], finish: Finish) {
    let x = x.as_chunks::<2>().0;
    let x = x.get(..layer.inputs.div_ceil(4)).unwrap_or_default();
    let block_len = next_block_len(layer.inputs);
    finish_each(layer, block_len, out, finish, |block| {
        multiplied_sums(block, x)
    });
}

/// What a block of four outputs makes of the activations `x`, four a group.
#[target_feature(enable = "avx2")]
fn multiplied_sums(block: &[u32], x: &[[u32; 2]]) -> [i32; 4] {
    let (bias, weights, multipliers) = parts(block);
    // The first two of a group's activations go with a vector's low half, the others with its high one.
    let halves = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    let mut sums = _mm256_setzero_si256();
    for ([low, high], weights) in x.iter().zip(weights) {
        let x = u64::from(*low) | u64::from(*high) << 32;
        let x = _mm256_set1_epi64x(x.cast_signed());
        let x = _mm256_permutevar8x32_epi32(x, halves);
        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(unpacked(weights), x));
    }
    let (low, high) = (
        _mm256_castsi256_si128(sums),
        _mm256_extracti128_si256::<1>(sums),
    );
    let sums = _mm_add_epi32(low, high);
    let sums = [
        _mm_extract_epi32::<0>(sums),
        _mm_extract_epi32::<1>(sums),
        _mm_extract_epi32::<2>(sums),
        _mm_extract_epi32::<3>(sums),
    ];
    let mut z = bias.map(u32::cast_signed);
    for ((z, sum), m) in z.iter_mut().zip(sums).zip(multipliers) {
        *z = mulw(z.wrapping_add(sum), m as i16);
    }
    z
}

/// A block's biases, its weights of four inputs at a time, and its multipliers.
fn parts(block: &[u32]) -> (&[u32; 4], &[[u8; 16]], [u32; 4]) {
    let (bias, rest) = block.split_first_chunk().unwrap_or((&[0; 4], &[]));
    let (weights, [a, b]) = rest.split_last_chunk().unwrap_or((&[], &[0; 2]));
    let multipliers = [a & 0xFFFF, a >> 16, b & 0xFFFF, b >> 16];
    (bias, bytes(weights).as_chunks().0, multipliers)
}

/// The weights of four outputs for four inputs: in the low half for the first two inputs, output by
/// output, in the high half for the others.
#[target_feature(enable = "avx2")]
#[inline]
fn unpacked(weights: &[u8; 16]) -> __m256i {
    #[allow(unsafe_code, reason = "sixteen bytes are read, at any alignment")]
    let weights = unsafe { _mm_loadu_si128(weights.as_ptr().cast()) };
    // The odd outputs' bytes, which come first, are offset by 128.
    let weights = _mm_xor_si128(weights, _mm_set1_epi16(0x0080));
    let order = _mm_setr_epi8(1, 3, 0, 2, 5, 7, 4, 6, 9, 11, 8, 10, 13, 15, 12, 14);
    _mm256_cvtepi8_epi16(_mm_shuffle_epi8(weights, order))
}
