//! The three products of a layer, over a shard of rows.
//!
//! A unit's values over the 64 rows of a shard lie side by side, so that vector instructions run over
//! rows whatever the widths of the layers, the one input of a coupling and its two outputs included.
//! Each sum is taken in one order, by fused multiply-adds: the same bits on every processor, whatever
//! the length of its vectors.

use std::array::from_fn;

use pulp::{Arch, Simd, WithSimd};

use super::Scalar;

/// Rows of a shard.
pub const ROWS: usize = 64;

/// One number of each row of a shard.
pub type Row<A> = [A; ROWS];

/// Lanes of a tile: two vectors of `f32` where vectors have 256 bits.
const LANES: usize = 16;

/// Units of a tile. Six times two sums leave four of sixteen registers for what is multiplied.
const UNITS: usize = 6;

/// Runs `operation` compiled for the widest vectors that this processor has.
pub(crate) fn dispatch<O: WithSimd>(operation: O) -> O::Output {
    Arch::new().dispatch(operation)
}

/// `output` = W `input` + b.
pub(super) struct Forward<'a, A> {
    /// W, `[outputs, inputs]`
    pub(super) weight: &'a [A],
    /// b, `[outputs]`
    pub(super) bias: &'a [A],
    pub(super) input: &'a [Row<A>],
    pub(super) output: &'a mut [Row<A>],
}

impl<A: Scalar> WithSimd for Forward<'_, A> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let mut at = 0;
        while let Some(count) = next_tile(at, self.output.len()) {
            let weight = &self.weight[at * self.input.len()..];
            let (bias, output) = (&self.bias[at..], &mut self.output[at..]);
            match count {
                UNITS => forward::<A, UNITS>(weight, bias, self.input, output),
                4 => forward::<A, 4>(weight, bias, self.input, output),
                2 => forward::<A, 2>(weight, bias, self.input, output),
                _ => forward::<A, 1>(weight, bias, self.input, output),
            }
            at += count;
        }
    }
}

/// The first `M` outputs.
#[inline(always)]
fn forward<A: Scalar, const M: usize>(
    weight: &[A],
    bias: &[A],
    input: &[Row<A>],
    output: &mut [Row<A>],
) {
    let inputs = input.len();
    // Neither this nor the sums by functions over arrays: those are not always compiled into here.
    let mut weights: [&[A]; M] = [&[]; M];
    for (j, weights) in weights.iter_mut().enumerate() {
        *weights = &weight[j * inputs..][..inputs];
    }
    for part in 0..ROWS / LANES {
        let mut sums = [[A::zero(); LANES]; M];
        for (sum, &bias) in sums.iter_mut().zip(bias) {
            *sum = [bias; LANES];
        }
        for (i, x) in input.iter().enumerate() {
            // A copy stays in registers; behind a reference each sum would load it anew.
            let x = *lanes(x, part);
            for (sum, weights) in sums.iter_mut().zip(weights) {
                add_product(sum, weights[i], &x);
            }
        }
        store(output, part, &sums);
    }
}

/// `input_gradient` = Wᵀ `gradient`.
pub(super) struct Backward<'a, A> {
    /// W, `[outputs, inputs]`
    pub(super) weight: &'a [A],
    pub(super) gradient: &'a [Row<A>],
    pub(super) input_gradient: &'a mut [Row<A>],
}

impl<A: Scalar> WithSimd for Backward<'_, A> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let mut at = 0;
        while let Some(count) = next_tile(at, self.input_gradient.len()) {
            match count {
                UNITS => self.inputs::<UNITS>(at),
                4 => self.inputs::<4>(at),
                2 => self.inputs::<2>(at),
                _ => self.inputs::<1>(at),
            }
            at += count;
        }
    }
}

impl<A: Scalar> Backward<'_, A> {
    /// `M` inputs from `at` on.
    #[inline(always)]
    fn inputs<const M: usize>(&mut self, at: usize) {
        let inputs = self.input_gradient.len();
        for part in 0..ROWS / LANES {
            let mut sums = [[A::zero(); LANES]; M];
            for (weight, gradient) in self.weight.chunks_exact(inputs).zip(self.gradient) {
                let gradient = *lanes(gradient, part);
                let weight = &weight[at..][..M];
                for (sum, &weight) in sums.iter_mut().zip(weight) {
                    add_product(sum, weight, &gradient);
                }
            }
            store(&mut self.input_gradient[at..], part, &sums);
        }
    }
}

/// `weight_gradient` = `gradient` · `input`ᵀ, and `bias_gradient` the sums of `gradient`.
pub(super) struct Gradients<'a, A> {
    pub(super) gradient: &'a [Row<A>],
    pub(super) input: &'a [Row<A>],
    /// `[outputs, inputs]`
    pub(super) weight_gradient: &'a mut [A],
    /// `[outputs]`
    pub(super) bias_gradient: &'a mut [A],
    pub(super) room: &'a mut GradientRoom<A>,
}

/// Room for what [`Gradients`] computes on the way.
#[derive(Clone, Debug)]
pub(super) struct GradientRoom<A> {
    /// A layer's input with the numbers of one row side by side, in blocks of [`LANES`] inputs.
    transposed: Vec<[[A; LANES]; ROWS]>,
    /// Sums over rows that are still to be added up.
    ///
    /// All of them are in memory before the first is: else the compiler takes the last additions for
    /// the pattern, and sums all rows by pairs.
    sums: Vec<[A; LANES]>,
}

impl<A> GradientRoom<A> {
    /// Room that grows with its first use.
    pub(super) const fn new() -> Self {
        Self {
            transposed: Vec::new(),
            sums: Vec::new(),
        }
    }
}

/// With so few inputs or outputs, dot products cost less than a transposed input.
const NARROW: usize = 4;

impl<A: Scalar> WithSimd for Gradients<'_, A> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        self.sum_gradient();
        if self.input.len().min(self.gradient.len()) <= NARROW {
            self.by_dot_products();
        } else {
            self.by_tiles();
        }
    }
}

impl<A: Scalar> Gradients<'_, A> {
    #[inline(always)]
    fn sum_gradient(&mut self) {
        let sums = with_length(&mut self.room.sums, self.gradient.len());
        for (sums, gradient) in sums.iter_mut().zip(self.gradient) {
            *sums = sum(gradient);
        }
        for (bias, sums) in self.bias_gradient.iter_mut().zip(sums) {
            *bias = sum_lanes(sums);
        }
    }

    #[inline(always)]
    fn by_dot_products(&mut self) {
        let (inputs, outputs) = (self.input.len(), self.gradient.len());
        let sums = with_length(&mut self.room.sums, inputs * outputs);
        // The inner loop is the short one, over which the compiler makes no vectors.
        let (for_output, for_input) = if inputs <= outputs {
            dots(self.gradient, self.input, sums);
            (inputs, 1)
        } else {
            dots(self.input, self.gradient, sums);
            (1, outputs)
        };
        let weights = self.weight_gradient.chunks_exact_mut(inputs.max(1));
        for (output, weights) in weights.enumerate() {
            for (input, weight) in weights.iter_mut().enumerate() {
                *weight = sum_lanes(&sums[output * for_output + input * for_input]);
            }
        }
    }

    #[inline(always)]
    fn by_tiles(&mut self) {
        let blocks = self.input.len().div_ceil(LANES);
        let transposed = &mut self.room.transposed;
        transposed.resize(blocks, [[A::zero(); LANES]; ROWS]);
        for (block, input) in transposed.iter_mut().zip(self.input.chunks(LANES)) {
            transpose(input, block);
        }
        let mut at = 0;
        while let Some(count) = next_tile(at, self.gradient.len()) {
            match count {
                UNITS => self.outputs::<UNITS>(at),
                4 => self.outputs::<4>(at),
                2 => self.outputs::<2>(at),
                _ => self.outputs::<1>(at),
            }
            at += count;
        }
    }

    /// `M` outputs from `at` on.
    #[inline(always)]
    fn outputs<const M: usize>(&mut self, at: usize) {
        let inputs = self.input.len();
        let gradient: [&Row<A>; M] = from_fn(|j| &self.gradient[at + j]);
        for (block, input) in self.room.transposed.iter().enumerate() {
            let mut sums = [[A::zero(); LANES]; M];
            for (row, &input) in input.iter().enumerate() {
                for (sum, gradient) in sums.iter_mut().zip(gradient) {
                    add_product(sum, gradient[row], &input);
                }
            }
            let weights = self.weight_gradient[at * inputs..].chunks_exact_mut(inputs);
            for (weights, sum) in weights.zip(&sums) {
                copy_front(&mut weights[block * LANES..], sum);
            }
        }
    }
}

/// Units of the next tile of `len`, `at` of which are done: as many as there are tiles for.
#[inline(always)]
fn next_tile(at: usize, len: usize) -> Option<usize> {
    let left = len - at;
    [UNITS, 4, 2, 1].into_iter().find(|&count| count <= left)
}

#[inline(always)]
fn lanes<A>(row: &Row<A>, part: usize) -> &[A; LANES] {
    &row.as_chunks().0[part]
}

#[inline(always)]
fn store<A: Scalar, const M: usize>(rows: &mut [Row<A>], part: usize, sums: &[[A; LANES]; M]) {
    for (row, sum) in rows.iter_mut().zip(sums) {
        row.as_chunks_mut().0[part] = *sum;
    }
}

#[inline(always)]
fn add_product<A: Scalar>(sums: &mut [A; LANES], factor: A, values: &[A; LANES]) {
    for (sum, &value) in sums.iter_mut().zip(values) {
        *sum = factor.mul_add(value, *sum);
    }
}

/// As many of `values` as there is room for: the last block is not always full.
#[inline(always)]
fn copy_front<A: Scalar>(room: &mut [A], values: &[A; LANES]) {
    if let Some(block) = room.first_chunk_mut() {
        *block = *values;
    } else {
        room.copy_from_slice(&values[..room.len()]);
    }
}

#[inline(always)]
fn transpose<A: Scalar>(input: &[Row<A>], transposed: &mut [[A; LANES]; ROWS]) {
    for (row, values) in transposed.iter_mut().enumerate() {
        for (value, input) in values.iter_mut().zip(input) {
            *value = input[row];
        }
    }
}

/// The first `len`, made where there are fewer.
#[inline(always)]
fn with_length<A: Scalar>(sums: &mut Vec<[A; LANES]>, len: usize) -> &mut [[A; LANES]] {
    if sums.len() < len {
        sums.resize(len, [A::zero(); LANES]);
    }
    &mut sums[..len]
}

/// Dot products of each of `many` with each of `few`, but for [`sum_lanes`]: `[many, few]`.
#[inline(always)]
fn dots<A: Scalar>(many: &[Row<A>], few: &[Row<A>], sums: &mut [[A; LANES]]) {
    for (sums, left) in sums.chunks_exact_mut(few.len().max(1)).zip(many) {
        for (sums, right) in sums.iter_mut().zip(few) {
            *sums = dot(left, right);
        }
    }
}

#[inline(always)]
fn dot<A: Scalar>(left: &Row<A>, right: &Row<A>) -> [A; LANES] {
    let mut sums = [A::zero(); LANES];
    for part in 0..ROWS / LANES {
        let (left, right) = (lanes(left, part), lanes(right, part));
        for (sum, (&l, &r)) in sums.iter_mut().zip(left.iter().zip(right)) {
            *sum = l.mul_add(r, *sum);
        }
    }
    sums
}

#[inline(always)]
fn sum<A: Scalar>(row: &Row<A>) -> [A; LANES] {
    let mut sums = [A::zero(); LANES];
    for part in 0..ROWS / LANES {
        for (sum, &value) in sums.iter_mut().zip(lanes(row, part)) {
            *sum += value;
        }
    }
    sums
}

/// By halves, as vectors are best added up.
#[inline(always)]
fn sum_lanes<A: Scalar>(sums: &[A; LANES]) -> A {
    let by_8: [A; 8] = from_fn(|i| sums[i] + sums[i + 8]);
    let by_4: [A; 4] = from_fn(|i| by_8[i] + by_8[i + 4]);
    (by_4[0] + by_4[2]) + (by_4[1] + by_4[3])
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    fn random(len: usize, rng: &mut Xoshiro256PlusPlus) -> Vec<f64> {
        (0..len).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect()
    }

    fn random_rows(len: usize, rng: &mut Xoshiro256PlusPlus) -> Vec<Row<f64>> {
        let rows = (0..len).map(|_| random(ROWS, rng).try_into().unwrap());
        rows.collect()
    }

    /// Σ left · right, term by term.
    fn sum_of(terms: impl Iterator<Item = f64>) -> f64 {
        terms.sum()
    }

    /// Every width of a last tile, of a last block, and nothing at all.
    fn shapes() -> impl Iterator<Item = (usize, usize)> {
        let widths = [0, 1, 2, 3, 4, 5, 6, 7, 11, 13, 16, 17, 33, 64];
        widths.into_iter().flat_map(move |o| widths.map(|i| (o, i)))
    }

    /// A hundred roundings of numbers below 1.
    const TOLERANCE: f64 = 1e-13;

    fn assert_close(found: f64, expected: f64, what: &str) {
        assert!(
            (found - expected).abs() < TOLERANCE,
            "{what}: {found}, not {expected}"
        );
    }

    #[test]
    fn products_are_those_of_the_formulas() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        for (outputs, inputs) in shapes() {
            let (weight, bias) = (
                random(outputs * inputs, &mut rng),
                random(outputs, &mut rng),
            );
            let (input, gradient) = (
                random_rows(inputs, &mut rng),
                random_rows(outputs, &mut rng),
            );
            let mut output = random_rows(outputs, &mut rng);
            dispatch(Forward {
                weight: &weight,
                bias: &bias,
                input: &input,
                output: &mut output,
            });
            let mut input_gradient = random_rows(inputs, &mut rng);
            dispatch(Backward {
                weight: &weight,
                gradient: &gradient,
                input_gradient: &mut input_gradient,
            });
            let mut weight_gradient = random(outputs * inputs, &mut rng);
            let mut bias_gradient = random(outputs, &mut rng);
            dispatch(Gradients {
                gradient: &gradient,
                input: &input,
                weight_gradient: &mut weight_gradient,
                bias_gradient: &mut bias_gradient,
                room: &mut GradientRoom::new(),
            });
            let w = |o: usize, i: usize| weight[o * inputs + i];
            for r in 0..ROWS {
                for o in 0..outputs {
                    let expected = bias[o] + sum_of((0..inputs).map(|i| w(o, i) * input[i][r]));
                    assert_close(output[o][r], expected, "forward");
                }
                for (i, found) in input_gradient.iter().enumerate() {
                    let expected = sum_of((0..outputs).map(|o| w(o, i) * gradient[o][r]));
                    assert_close(found[r], expected, "backward");
                }
            }
            for o in 0..outputs {
                assert_close(bias_gradient[o], sum_of(gradient[o].into_iter()), "bias");
                for i in 0..inputs {
                    let expected = sum_of((0..ROWS).map(|r| gradient[o][r] * input[i][r]));
                    assert_close(weight_gradient[o * inputs + i], expected, "weight");
                }
            }
        }
    }

    #[test]
    fn bits_do_not_depend_on_the_vectors() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
        let mut narrow = |len: usize| -> Vec<Row<f32>> {
            let rows = random_rows(len, &mut rng).into_iter();
            rows.map(|row| row.map(|x| x as f32)).collect()
        };
        for (outputs, inputs) in shapes() {
            let (input, gradient) = (narrow(inputs), narrow(outputs));
            let weights: Vec<f32> = narrow(outputs * inputs).iter().map(|row| row[0]).collect();
            let gradients = |vectors: bool| {
                let (mut weight, mut bias) = (weights.clone(), vec![0.0; outputs]);
                let operation = Gradients {
                    gradient: &gradient,
                    input: &input,
                    weight_gradient: &mut weight,
                    bias_gradient: &mut bias,
                    room: &mut GradientRoom::new(),
                };
                match vectors {
                    true => dispatch(operation),
                    false => operation.with_simd(pulp::Scalar::new()),
                }
                let mut output = gradient.clone();
                let operation = Forward {
                    weight: &weights,
                    bias: &bias,
                    input: &input,
                    output: &mut output,
                };
                match vectors {
                    true => dispatch(operation),
                    false => operation.with_simd(pulp::Scalar::new()),
                }
                (weight, bias, output)
            };
            assert!(gradients(true) == gradients(false), "{outputs} of {inputs}");
        }
    }
}
