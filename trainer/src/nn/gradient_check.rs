//! Gradients held against central finite differences.

use super::{Mlp, parameters, parameters_mut};

/// Half the distance between the two losses; the error of their difference is then near 1e-10.
const STEP: f64 = 1e-5;

/// Leaves room for second-order terms and rounding in losses around 10.
const TOLERANCE: f64 = 1e-7;

/// Checks the gradient by every weight of `nets`.
pub(crate) fn assert_gradient(
    nets: &[Mlp<f64>],
    gradient: &[Mlp<f64>],
    mut loss: impl FnMut(&[Mlp<f64>]) -> f64,
) {
    for (tensor, gradient) in parameters(gradient).enumerate() {
        for (i, &gradient) in gradient.iter().enumerate() {
            let mut loss_at = |offset| loss(&moved(nets, tensor, i, offset));
            let slope = (loss_at(STEP) - loss_at(-STEP)) / (2.0 * STEP);
            let error = (slope - gradient).abs();
            assert!(
                error <= TOLERANCE * (1.0 + slope.abs()),
                "tensor {tensor}, weight {i}: gradient {gradient}, slope {slope}"
            );
        }
    }
}

fn moved(nets: &[Mlp<f64>], tensor: usize, i: usize, offset: f64) -> Vec<Mlp<f64>> {
    let mut nets = nets.to_vec();
    parameters_mut(&mut nets).nth(tensor).expect("same shape")[i] += offset;
    nets
}
