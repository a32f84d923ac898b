//! Layers in `f32`.

/// The number that a word of the file holds.
pub(crate) fn value(word: &u32) -> f32 {
    f32::from_bits(u32::from_le(*word))
}

/// The number itself, but one NaN for all: which one an operation gives differs by target.
pub(crate) fn one_nan(number: f32) -> f32 {
    if number.is_nan() { f32::NAN } else { number }
}

/// One affine layer, `y = W x + b`, in `f32`.
///
/// # Shapes
///
/// `bias` `[outputs]`; `weight` `[inputs, outputs]`, one input's weights after the other: so each
/// output's sum runs over the inputs in order, on a target that works on many outputs at once as on
/// one that does not, and the bits are the same.
#[cfg(feature = "f32")]
pub(crate) fn dense(bias: &[u32], weight: &[u32], x: &[f32], y: &mut [f32]) {
    for (y, b) in y.iter_mut().zip(bias) {
        *y = value(b);
    }
    let outputs = y.len();
    if outputs == 0 {
        return;
    }
    for (x, column) in x.iter().zip(weight.chunks_exact(outputs)) {
        for (y, w) in y.iter_mut().zip(column) {
            *y += x * value(w);
        }
    }
}

#[cfg(all(test, feature = "f32"))]
mod tests {
    use super::*;

    fn words<const N: usize>(numbers: [f32; N]) -> [u32; N] {
        numbers.map(|number| number.to_bits().to_le())
    }

    #[test]
    fn weights_lie_input_by_input() {
        let mut y = [0.0; 2];
        let weight = words([1.0, 10.0, 2.0, 20.0, 3.0, 30.0]);
        dense(&words([0.5, 0.25]), &weight, &[1.0, -1.0, 2.0], &mut y);
        assert_eq!(y, [5.5, 50.25]);
    }

    /// In another order, or with fused products, these sums round to other numbers.
    #[test]
    fn a_sum_starts_at_the_bias_and_runs_over_the_inputs_in_order() {
        let mut y = [0.0];
        let big = 16_777_216.0;
        dense(&words([1.0]), &words([big, -big]), &[1.0, 1.0], &mut y);
        assert_eq!(y, [0.0]);
        dense(&words([big]), &words([1.0, -big]), &[1.0, 1.0], &mut y);
        assert_eq!(y, [0.0]);
        dense(&words([0.0]), &words([-big, big, 1.0]), &[1.0; 3], &mut y);
        assert_eq!(y, [1.0]);

        let x = 1.0 + f32::EPSILON;
        dense(&words([-x * x]), &words([x]), &[x], &mut y);
        assert_eq!(y, [0.0]);
    }

    #[test]
    fn a_layer_without_inputs_is_its_bias() {
        let mut y = [7.0; 2];
        dense(&words([1.0, 2.0]), &[], &[], &mut y);
        assert_eq!(y, [1.0, 2.0]);
    }
}
