//! Layers for many points side by side: a vector holds one word, two activations, of eight points.
//!
//! Four outputs of sixteen points are summed at a time, in eight registers; a pair of weights, the
//! same in all lanes, serves both vectors of points.

use core::arch::x86_64::*;

use super::super::{
    ELU, FRACTION_BITS, Finish, Layer, SEGMENT_BITS, SEGMENTS_BELOW_0, TABLE_LIMIT, TANH,
};
use super::{parts, unpacked};
use crate::format::{MAX_CONTEXT_DIM, MAX_DIM, MAX_WIDTH, first_block_len, next_block_len};
use crate::tile::{Row, TILE};

/// Points that are summed at a time.
const GROUP: usize = 16;
/// Inputs of the widest first layer: a point, the time and a context.
const MAX_INPUTS: usize = MAX_DIM + 1 + MAX_CONTEXT_DIM;

/// A number of four outputs of sixteen points.
type Sums = [[__m256i; 2]; 4];

#[target_feature(enable = "avx2")]
pub(super) fn first_layer(
    layer: &Layer<'_>,
    q: &[Row],
    out: &mut [Row],
    finish: Finish,
    count: usize,
) {
    let q = q.get(..layer.inputs).unwrap_or_default();
    let blocks = layer.blocks.chunks_exact(first_block_len(layer.inputs));
    let mut weights = [[0; 4]; MAX_INPUTS];
    for (block, out) in blocks.zip(out.chunks_exact_mut(rows(finish))) {
        let (bias, packed) = block.split_first_chunk().unwrap_or((&[0; 4], &[]));
        for (weights, [a, b]) in weights.iter_mut().zip(packed.as_chunks().0) {
            *weights = [a & 0xFFFF, a >> 16, b & 0xFFFF, b >> 16];
        }
        for group in 0..groups(count) {
            let mut sums = broadcast(bias);
            for (q, weights) in q.iter().zip(&weights) {
                add_wide_products(&mut sums, load(q, group), weights);
            }
            store(layer, finish, sums, out, group);
        }
    }
}

#[target_feature(enable = "avx2")]
pub(super) fn next_layer(
    layer: &Layer<'_>,
    x: &[Row],
    out: &mut [Row],
    finish: Finish,
    count: usize,
) {
    let input_rows = 2 * layer.inputs.div_ceil(4);
    let x = x.get(..input_rows).unwrap_or_default();
    let blocks = layer.blocks.chunks_exact(next_block_len(layer.inputs));
    let mut weights = [[0; 8]; MAX_WIDTH / 4];
    for (block, out) in blocks.zip(out.chunks_exact_mut(rows(finish))) {
        let (bias, packed, multipliers) = parts(block);
        for (weights, packed) in weights.iter_mut().zip(packed) {
            store_vector(weights, unpacked(packed));
        }
        for group in 0..groups(count) {
            let mut sums = broadcast(bias);
            for (x, weights) in x.iter().zip(weights.as_flattened().as_chunks().0) {
                add_products(&mut sums, load(x, group), weights);
            }
            multiply(&mut sums, &multipliers);
            store(layer, finish, sums, out, group);
        }
    }
}

/// Rows that a block of four outputs fills.
fn rows(finish: Finish) -> usize {
    match finish {
        Finish::Tanh | Finish::Elu => 2,
        Finish::Linear => 4,
    }
}

/// Groups that `count` points fill or begin.
fn groups(count: usize) -> usize {
    count.div_ceil(GROUP).min(TILE / GROUP)
}

/// Adds the products of two activations each and their weights.
#[target_feature(enable = "avx2")]
#[inline]
fn add_products(sums: &mut Sums, x: [__m256i; 2], weights: &[u32; 4]) {
    for (sums, w) in sums.iter_mut().zip(weights) {
        let w = splat(*w);
        for (sum, x) in sums.iter_mut().zip(x) {
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(x, w));
        }
    }
}

/// Adds `⌊q · w / 2¹⁶⌋` for numbers q of 32 bits within ±2²⁶.
///
/// With `q = 2¹⁶ high + low`, both of 16 bits and with a sign, that is `high · w + ⌊low · w / 2¹⁶⌋`.
#[target_feature(enable = "avx2")]
#[inline]
fn add_wide_products(sums: &mut Sums, mut q: [__m256i; 2], weights: &[u32; 4]) {
    let half = _mm256_set1_epi32(0x8000);
    for q in &mut q {
        *q = _mm256_blend_epi16::<HIGH>(*q, _mm256_add_epi32(*q, half));
    }
    for (sums, w) in sums.iter_mut().zip(weights) {
        let low = splat(*w);
        let one_and_high = splat(*w << 16 | 1);
        for (sum, q) in sums.iter_mut().zip(q) {
            let carry_and_high = _mm256_blend_epi16::<HIGH>(_mm256_mulhi_epi16(q, low), q);
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(carry_and_high, one_and_high));
        }
    }
}

/// The high half of each lane, for a blend.
const HIGH: i32 = 0b1010_1010;

/// Takes each `a` to `⌊a · m / 2¹⁶⌋`, for m ≥ 0.
///
/// With `a = 2¹⁶ high + low`, where only `high` has a sign, that is `high · m + ⌊low · m / 2¹⁶⌋`.
#[target_feature(enable = "avx2")]
#[inline]
fn multiply(sums: &mut Sums, multipliers: &[u32; 4]) {
    for (sums, m) in sums.iter_mut().zip(multipliers) {
        let (low, high) = (splat(*m), splat(*m << 16));
        for a in sums {
            *a = _mm256_add_epi32(_mm256_madd_epi16(*a, high), _mm256_mulhi_epu16(*a, low));
        }
    }
}

/// Finishes and stores four outputs of a group of points.
#[target_feature(enable = "avx2")]
#[inline]
fn store(layer: &Layer<'_>, finish: Finish, z: Sums, out: &mut [Row], group: usize) {
    let shift = _mm_cvtsi32_si128(layer.shift.cast_signed());
    let exponent = _mm_cvtsi32_si128(layer.exponent.cast_signed());
    let pairs = z.as_chunks::<2>().0;
    match finish {
        Finish::Tanh => {
            for (out, [first, second]) in out.iter_mut().zip(pairs) {
                for ((out, a), b) in vectors(out, group).iter_mut().zip(first).zip(second) {
                    let a = tanh(_mm256_sll_epi32(*a, shift));
                    let b = tanh(_mm256_sll_epi32(*b, shift));
                    store_vector(
                        out,
                        _mm256_blend_epi16::<HIGH>(_mm256_srli_epi32::<16>(a), b),
                    );
                }
            }
        }
        Finish::Elu => {
            for (out, [first, second]) in out.iter_mut().zip(pairs) {
                for ((out, a), b) in vectors(out, group).iter_mut().zip(first).zip(second) {
                    let a = elu(_mm256_sll_epi32(*a, shift), exponent);
                    let b = elu(_mm256_sll_epi32(*b, shift), exponent);
                    store_vector(
                        out,
                        _mm256_blend_epi16::<HIGH>(a, _mm256_slli_epi32::<16>(b)),
                    );
                }
            }
        }
        Finish::Linear => {
            for (out, z) in out.iter_mut().zip(&z) {
                for (out, z) in vectors(out, group).iter_mut().zip(z) {
                    store_vector(out, *z);
                }
            }
        }
    }
}

/// [`tanh`](super::super::tanh) in the high half of each lane.
#[target_feature(enable = "avx2")]
#[inline]
fn tanh(p: __m256i) -> __m256i {
    interpolate(&TANH, p)
}

/// [`elu`](super::super::elu) in each lane.
#[target_feature(enable = "avx2")]
#[inline]
fn elu(p: __m256i, exponent: __m128i) -> __m256i {
    const UNIT_BITS: i32 = FRACTION_BITS as i32 - 15;
    let below = _mm256_srai_epi32::<16>(interpolate(&ELU, p));
    let above = _mm256_max_epi32(p, _mm256_setzero_si256());
    let sum = _mm256_add_epi32(below, _mm256_srli_epi32::<UNIT_BITS>(above));
    let most = _mm256_set1_epi32(i16::MAX.into());
    _mm256_min_epi32(_mm256_sra_epi32(sum, exponent), most)
}

/// What a table that begins at −8 says of `p · 2⁻²⁰`, in the high half of each lane.
///
/// A table of 257 entries ends in 0, so that it does not matter where in its last segment p lies.
#[target_feature(enable = "avx2")]
#[inline]
fn interpolate<const N: usize>(table: &[u32; N], p: __m256i) -> __m256i {
    let last = const { ((N - SEGMENTS_BELOW_0) << SEGMENT_BITS) as i32 - 1 };
    let p = _mm256_max_epi32(p, _mm256_set1_epi32(-TABLE_LIMIT));
    let p = _mm256_min_epi32(p, _mm256_set1_epi32(last));
    let segment = _mm256_srai_epi32::<{ SEGMENT_BITS as i32 }>(p);
    let segment = _mm256_add_epi32(segment, _mm256_set1_epi32(SEGMENTS_BELOW_0 as i32));
    #[allow(
        unsafe_code,
        reason = "p is within the table, so segments are 0 to N − 1"
    )]
    let entry = unsafe { _mm256_i32gather_epi32::<4>(table.as_ptr().cast(), segment) };
    let slope = _mm256_blend_epi16::<HIGH>(entry, _mm256_setzero_si256());
    _mm256_add_epi32(entry, _mm256_madd_epi16(p, slope))
}

/// The same four numbers for all points.
#[target_feature(enable = "avx2")]
#[inline]
fn broadcast(numbers: &[u32; 4]) -> Sums {
    let mut sums = [[_mm256_setzero_si256(); 2]; 4];
    for (sums, number) in sums.iter_mut().zip(numbers) {
        *sums = [splat(*number); 2];
    }
    sums
}

#[target_feature(enable = "avx2")]
#[inline]
fn splat(word: u32) -> __m256i {
    _mm256_set1_epi32(word.cast_signed())
}

/// The two vectors of a group of points.
fn vectors(row: &mut Row, group: usize) -> &mut [[u32; 8]] {
    let vectors = row.as_chunks_mut::<8>().0.as_chunks_mut::<2>().0;
    vectors.get_mut(group).map_or(&mut [], |vectors| vectors)
}

#[target_feature(enable = "avx2")]
#[inline]
fn load(row: &Row, group: usize) -> [__m256i; 2] {
    let groups = row.as_chunks::<8>().0.as_chunks::<2>().0;
    let [a, b] = groups.get(group).unwrap_or(&[[0; 8]; 2]);
    #[allow(unsafe_code, reason = "eight words are read, at any alignment")]
    unsafe {
        [
            _mm256_loadu_si256(a.as_ptr().cast()),
            _mm256_loadu_si256(b.as_ptr().cast()),
        ]
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn store_vector(words: &mut [u32; 8], vector: __m256i) {
    #[allow(unsafe_code, reason = "eight words are written, at any alignment")]
    unsafe {
        _mm256_storeu_si256(words.as_mut_ptr().cast(), vector);
    }
}
