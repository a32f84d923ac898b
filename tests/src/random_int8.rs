//! Integer nets with random numbers, from the tables of `FORMAT.md` alone.

use flowlet::format::{Description, Kind, Net};
use flowlet::{Activation, Precision};
use rand::{Rng, RngExt};

use crate::encoding::encode;
use crate::random_flow::Generator;

/// How large the numbers of a net are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// As of a trained net.
    Usual,
    /// As large as the loader lets them be: weights of ±127, sums at their bounds.
    Extreme,
}

/// A whole model file with a net of random integers for each layer.
pub fn file(description: &Description<'_>, size: Size, rng: &mut Generator) -> Vec<u8> {
    encode(description, &weights(description, size, rng))
}

/// A description of int8 precision.
pub fn description<'a>(
    dim: u8,
    context_dim: u8,
    kind: Kind,
    hidden: &[u16],
    activation: Activation,
) -> Description<'a> {
    Description {
        name: "integers",
        labels: "",
        dim,
        context_dim,
        whitened: false,
        calibrated: false,
        kind,
        net: Net {
            precision: Precision::Int8,
            activation,
            hidden: hidden.iter().copied().collect(),
        },
    }
}

/// All bytes of `weights`.
fn weights(description: &Description<'_>, size: Size, rng: &mut Generator) -> Vec<u8> {
    let nets = 0..description.net_count();
    let transform = random_transform(description, rng);
    let mut bytes: Vec<u8> = transform.into_iter().flat_map(f32::to_le_bytes).collect();
    for k in nets {
        let layers: Vec<_> = description.layer_ends(k).collect();
        for (j, (inputs, outputs)) in layers.iter().enumerate() {
            let is_last = j + 1 == layers.len();
            let is_elu = description.net.activation == Activation::Elu && !is_last;
            let shift = rng.random_range(0..=4);
            let exponent = if is_elu { rng.random_range(0..=6) } else { 0 };
            let input_bits = if j == 0 { rng.random_range(18..=22) } else { 0 };
            bytes.extend([shift, input_bits, exponent, 0]);
            let most = i64::from(i32::MAX) >> if is_last { 0 } else { shift };
            for first in (0..*outputs).step_by(4) {
                let rows = (*outputs - first).min(4);
                match j {
                    0 => first_block(*inputs, rows, most, size, rng, &mut bytes),
                    _ => next_block(*inputs, rows, most, size, rng, &mut bytes),
                }
            }
        }
    }
    bytes
}

/// Means, standard deviations and, where the model is whitened, a Cholesky factor.
pub fn random_transform(description: &Description<'_>, rng: &mut Generator) -> Vec<f32> {
    let columns = description.column_count();
    let mut floats: Vec<f32> = (0..columns).map(|_| rng.random_range(-1.0..1.0)).collect();
    floats.extend((0..columns).map(|_| rng.random_range(0.5..2.0f32)));
    if description.whitened {
        // Many dimensions have small weights: else substitution grows out of all bounds.
        let largest = 0.5 / f32::from(description.dim).sqrt();
        for i in 0..description.dim {
            floats.extend((0..i).map(|_| rng.random_range(-largest..largest)));
            floats.push(rng.random_range(0.5..1.0));
        }
    }
    floats
}

fn first_block(
    inputs: usize,
    rows: usize,
    most: i64,
    size: Size,
    rng: &mut Generator,
    bytes: &mut Vec<u8>,
) {
    // |bias| + 2^10 Σ |w| ≤ most.
    let weight = match size {
        Size::Usual => 4096,
        Size::Extreme => 32767,
    };
    let weight = weight.min(most / 2 / 1024 / inputs.max(1) as i64) as i16;
    let weights: [Vec<i16>; 4] = std::array::from_fn(|row| {
        let any = |_| choose(i64::from(weight), size, rng) as i16;
        (0..inputs)
            .map(any)
            .map(|w| if row < rows { w } else { 0 })
            .collect()
    });
    for (row, weights) in weights.iter().enumerate() {
        let sum: i64 = weights
            .iter()
            .map(|w| 1024 * i64::from(w.unsigned_abs()))
            .sum();
        let bias = bias(most - sum, 1 << 18, size, rng);
        bytes.extend((if row < rows { bias } else { 0 }).to_le_bytes());
    }
    for i in 0..inputs {
        bytes.extend(weights.iter().flat_map(|weights| weights[i].to_le_bytes()));
    }
}

fn next_block(
    inputs: usize,
    rows: usize,
    most: i64,
    size: Size,
    rng: &mut Generator,
    bytes: &mut Vec<u8>,
) {
    let padded = inputs.next_multiple_of(4);
    let weights: [Vec<i8>; 4] = std::array::from_fn(|row| {
        let any = |_| choose(127, size, rng) as i8;
        let of = |(i, w)| if row < rows && i < inputs { w } else { 0 };
        (0..padded).map(any).enumerate().map(of).collect()
    });
    let mut multipliers = [0i16; 4];
    for (row, weights) in weights.iter().enumerate() {
        // T = |bias| + 2^15 Σ |w| fits 31 bits, and ⌊T m / 2^16⌋ < most.
        let sum: i64 = weights
            .iter()
            .map(|w| 32768 * i64::from(w.unsigned_abs()))
            .sum();
        let bias = bias(i64::from(i32::MAX) - sum, 1 << 22, size, rng);
        bytes.extend((if row < rows { bias } else { 0 }).to_le_bytes());
        let largest = (most << 16) / (sum + i64::from(bias.unsigned_abs())).max(1);
        let usual = match size {
            Size::Usual => rng.random_range(500..=8000),
            Size::Extreme => 32767,
        };
        multipliers[row] = if row < rows {
            largest.min(usual) as i16
        } else {
            0
        };
    }
    for i in (0..padded).step_by(2) {
        for pair in [0, 2] {
            for i in [i, i + 1] {
                bytes.push(weights[pair + 1][i].cast_unsigned() ^ 0x80);
                bytes.push(weights[pair][i].cast_unsigned());
            }
        }
    }
    bytes.extend(multipliers.iter().flat_map(|m| m.to_le_bytes()));
}

/// A number of magnitude `largest` at most; of exactly that for extreme nets.
fn choose(largest: i64, size: Size, rng: &mut Generator) -> i64 {
    match size {
        Size::Usual => rng.random_range(-largest..=largest),
        Size::Extreme if rng.next_u32() & 1 == 0 => largest,
        Size::Extreme => -largest,
    }
}

/// A bias of magnitude `room` at most.
fn bias(room: i64, usual: i64, size: Size, rng: &mut Generator) -> i32 {
    let room = room.max(0);
    match size {
        Size::Usual => choose(usual.min(room), size, rng) as i32,
        Size::Extreme => choose(room, size, rng) as i32,
    }
}
