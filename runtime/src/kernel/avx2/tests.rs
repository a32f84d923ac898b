//! Every layer has the bits of the portable one.

use std::{vec, vec::Vec};

use rand_xoshiro::Xoshiro128PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use super::super::portable;
use super::*;
use crate::format::first_block_len;
use crate::kernel::{FRACTION_BITS, INPUT_LIMIT};
use crate::tile::TILE;

/// Words of the widest layer's output, with room to see a write beyond it.
const OUT_LEN: usize = 260;
const FINISHES: [Finish; 3] = [Finish::Tanh, Finish::Elu, Finish::Linear];
/// Bits of a sum before the shift, such that it is neither always nor never beyond the tables.
const BIAS_BITS: u32 = 20;

fn generator(seed: u64) -> Xoshiro128PlusPlus {
    Xoshiro128PlusPlus::seed_from_u64(seed)
}

/// A number of 0 to `most`.
fn up_to(most: u32, rng: &mut impl Rng) -> u32 {
    rng.next_u32() % (most + 1)
}

/// Any word, or one whose halves are the ends of their range.
fn activations(rng: &mut impl Rng) -> u32 {
    match up_to(7, rng) {
        0 => 0x8000_8000,
        1 => 0x7FFF_7FFF,
        2 => 0x8000_7FFF,
        _ => rng.next_u32(),
    }
}

/// A fixed-point input, also the largest and those about a half's end.
fn input(rng: &mut impl Rng) -> u32 {
    let limit = INPUT_LIMIT.cast_unsigned();
    match up_to(7, rng) {
        0 => limit,
        1 => limit.wrapping_neg(),
        2 => 0x7FFF,
        3 => 0x8000,
        4 => 0x8000u32.wrapping_neg(),
        _ => up_to(2 * limit, rng).wrapping_sub(limit),
    }
}

fn bias(rng: &mut impl Rng) -> u32 {
    (rng.next_u32().cast_signed() >> (31 - BIAS_BITS)).cast_unsigned()
}

/// A weight pair as the file has it: the first byte with an offset, neither of them −128.
fn weights(rng: &mut impl Rng) -> [u8; 2] {
    let mut weight = || match up_to(5, rng) {
        0 => 127,
        1 => -127,
        _ => (up_to(254, rng).cast_signed() - 127) as i8,
    };
    [weight().cast_unsigned() ^ 0x80, weight().cast_unsigned()]
}

fn first_blocks(inputs: usize, outputs: usize, rng: &mut impl Rng) -> Vec<u32> {
    let mut blocks = Vec::new();
    for _ in 0..outputs.div_ceil(4) {
        blocks.extend((0..4).map(|_| bias(rng)));
        blocks.extend((4..first_block_len(inputs)).map(|_| activations(rng)));
    }
    blocks
}

fn next_blocks(inputs: usize, outputs: usize, rng: &mut impl Rng) -> Vec<u32> {
    let mut blocks = Vec::new();
    for _ in 0..outputs.div_ceil(4) {
        blocks.extend((0..4).map(|_| bias(rng)));
        for _ in 0..4 * inputs.div_ceil(4) {
            let ([a, b], [c, d]) = (weights(rng), weights(rng));
            blocks.push(u32::from_le_bytes([a, b, c, d]));
        }
        blocks.extend((0..2).map(|_| activations(rng) & 0x7FFF_7FFF));
    }
    blocks
}

/// Points `[count]` of `rows` words each, side by side in `TILE` lanes.
fn side_by_side(points: &[Vec<u32>], rows: usize) -> Vec<Row> {
    let row = |i| core::array::from_fn(|lane| points.get(lane).map_or(0, |point| point[i]));
    (0..rows).map(row).collect()
}

fn check(
    layer: &Layer<'_>,
    points: &[Vec<u32>],
    rows: usize,
    one: impl Fn(&Layer<'_>, &[u32], &mut [u32], Finish),
    many: impl Fn(&Layer<'_>, &[Row], &mut [Row], Finish, usize),
) {
    for finish in FINISHES {
        let mut out = vec![[7; TILE]; OUT_LEN];
        many(
            layer,
            &side_by_side(points, rows),
            &mut out,
            finish,
            points.len(),
        );
        for (lane, point) in points.iter().enumerate() {
            let mut expected = vec![7; OUT_LEN];
            one(layer, point, &mut expected, finish);
            let found: Vec<u32> = out.iter().map(|row| row[lane]).collect();
            assert_eq!(
                found, expected,
                "{finish:?}, {} inputs, lane {lane}",
                layer.inputs
            );
        }
    }
}

/// Calls `work` with a layer's inputs and outputs, a shift, an exponent and a number of points.
fn for_each_size(
    most_inputs: u32,
    rng: &mut Xoshiro128PlusPlus,
    mut work: impl FnMut(usize, usize, u32, u32, usize, &mut Xoshiro128PlusPlus),
) {
    for trial in 0..120 {
        let inputs = match trial {
            0..20 => trial,
            20 => most_inputs,
            _ => up_to(most_inputs, rng),
        };
        let outputs = 1 + up_to(255, rng);
        let count = match trial % 4 {
            0 => TILE as u32,
            1 => 1,
            _ => 1 + up_to(TILE as u32 - 1, rng),
        };
        let (shift, exponent) = (up_to(15, rng), up_to(15, rng));
        let [inputs, outputs, count] = [inputs, outputs, count].map(|n| n as usize);
        work(inputs, outputs, shift, exponent, count, rng);
    }
}

#[test]
fn a_first_layer_side_by_side_has_the_portable_bits() {
    let Some(avx2) = Avx2::detect() else { return };
    for_each_size(
        97,
        &mut generator(1),
        |inputs, outputs, shift, exponent, count, rng| {
            let blocks = first_blocks(inputs, outputs, rng);
            let layer = Layer {
                blocks: &blocks,
                inputs,
                shift,
                exponent,
            };
            let point = |_| (0..inputs).map(|_| input(rng)).collect();
            let points: Vec<Vec<u32>> = (0..count).map(point).collect();
            check(
                &layer,
                &points,
                inputs,
                portable::first_layer,
                |layer, q, out, finish, count| {
                    avx2.first_layer_tile(layer, q, out, finish, count);
                },
            );
        },
    );
}

#[test]
fn a_next_layer_has_the_portable_bits_for_one_point_and_side_by_side() {
    let Some(avx2) = Avx2::detect() else { return };
    for_each_size(
        256,
        &mut generator(2),
        |inputs, outputs, shift, exponent, count, rng| {
            let blocks = next_blocks(inputs, outputs, rng);
            let layer = Layer {
                blocks: &blocks,
                inputs,
                shift,
                exponent,
            };
            let rows = 2 * inputs.div_ceil(4);
            let point = |_| (0..rows).map(|_| activations(rng)).collect();
            let points: Vec<Vec<u32>> = (0..count).map(point).collect();
            check(
                &layer,
                &points,
                rows,
                portable::next_layer,
                |layer, x, out, finish, count| {
                    avx2.next_layer_tile(layer, x, out, finish, count);
                },
            );
            for finish in FINISHES {
                let [mut expected, mut found] = [[7; OUT_LEN]; 2];
                portable::next_layer(&layer, &points[0], &mut expected, finish);
                avx2.next_layer(&layer, &points[0], &mut found, finish);
                assert_eq!(found, expected, "{finish:?}, {inputs} inputs");
            }
        },
    );
}

/// Sums of each segment of the tables and beyond them, one by one.
#[test]
fn activations_of_all_segments_have_the_portable_bits() {
    let Some(avx2) = Avx2::detect() else { return };
    // A first layer without inputs is its biases.
    let ends = -(9 << FRACTION_BITS)..9 << FRACTION_BITS;
    let sums: Vec<i32> = ends.step_by(997).chain([i32::MIN, i32::MAX]).collect();
    for biases in sums.chunks_exact(4) {
        let blocks: Vec<u32> = biases.iter().map(|bias| bias.cast_unsigned()).collect();
        for exponent in [0, 3, 15] {
            let layer = Layer {
                blocks: &blocks,
                inputs: 0,
                shift: 0,
                exponent,
            };
            check(
                &layer,
                &[vec![]],
                0,
                portable::first_layer,
                |layer, q, out, finish, count| {
                    avx2.first_layer_tile(layer, q, out, finish, count);
                },
            );
        }
    }
}
