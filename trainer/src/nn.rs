//! Multilayer perceptrons: forward and backward passes.

pub mod activation;
#[cfg(test)]
pub(crate) mod gradient_check;
pub mod kernel;
pub mod pass;
pub mod scalar;

use flowlet::format::Activation;
use ndarray::{Array1, Array2};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

pub use kernel::{ROWS, Row};
pub use pass::Pass;
pub use scalar::Scalar;

/// One affine layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dense<A> {
    /// `[outputs, inputs]`, as in PyTorch and Equinox.
    pub weight: Array2<A>,
    /// `[outputs]`.
    pub bias: Array1<A>,
}

/// Affine layers with one activation between them and none after the last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mlp<A> {
    /// From the input to the output.
    pub layers: Vec<Dense<A>>,
    /// The function between the layers.
    pub activation: Activation,
}

impl<A: Scalar> Dense<A> {
    /// A layer with weights and biases uniform in ±1/√`inputs`.
    ///
    /// Spread biases matter as much as the weights where a net reads one or two numbers: without
    /// them all hidden units bend at the origin.
    ///
    /// # Source
    ///
    /// LeCun et al., *Efficient BackProp*, 1998, with the bounds PyTorch and Equinox use.
    pub fn random<G: Rng>(inputs: usize, outputs: usize, rng: &mut G) -> Self {
        let bound = (inputs.max(1) as f64).sqrt().recip();
        let mut uniform = || A::from_f64(bound * (2.0 * rng.random::<f64>() - 1.0));
        Self {
            weight: Array2::from_shape_simple_fn((outputs, inputs), &mut uniform),
            bias: Array1::from_shape_simple_fn(outputs, &mut uniform),
        }
    }

    /// Multiplies weights and biases by `gain`.
    pub fn scale(&mut self, gain: f64) {
        let gain = A::from_f64(gain);
        self.weight.mapv_inplace(|w| w * gain);
        self.bias.mapv_inplace(|b| b * gain);
    }
}

impl<A> Dense<A> {
    /// All weights, output by output, and the biases.
    pub(crate) fn as_slices(&self) -> (&[A], &[A]) {
        let weight = self.weight.as_slice().expect(CONTIGUOUS);
        (weight, self.bias.as_slice().expect(CONTIGUOUS))
    }

    /// [`Dense::as_slices`], to be written.
    pub(crate) fn as_slices_mut(&mut self) -> (&mut [A], &mut [A]) {
        let weight = self.weight.as_slice_mut().expect(CONTIGUOUS);
        (weight, self.bias.as_slice_mut().expect(CONTIGUOUS))
    }
}

impl<A: Scalar> Mlp<A> {
    /// A net at random weights that reads `widths[0]` numbers and gives the last of `widths`.
    pub fn random<G: Rng>(widths: &[usize], activation: Activation, rng: &mut G) -> Self {
        let layers = widths.windows(2);
        Self {
            layers: layers.map(|w| Dense::random(w[0], w[1], rng)).collect(),
            activation,
        }
    }
}

impl<A> Mlp<A> {
    /// Numbers of inputs, of each hidden layer, and of outputs.
    pub fn widths(&self) -> impl Iterator<Item = usize> {
        let inputs = self.layers.first().map(|layer| layer.weight.ncols());
        inputs
            .into_iter()
            .chain(self.layers.iter().map(|layer| layer.weight.nrows()))
    }

    /// Number of weights and biases.
    pub fn parameter_count(&self) -> usize {
        self.layers
            .iter()
            .map(|layer| layer.weight.len() + layer.bias.len())
            .sum()
    }
}

/// All weights and biases of `nets`, tensor by tensor, in an order that never changes.
pub fn parameters<A>(nets: &[Mlp<A>]) -> impl Iterator<Item = &[A]> {
    let layers = nets.iter().flat_map(|net| &net.layers);
    layers.flat_map(|layer| {
        let (weight, bias) = layer.as_slices();
        [weight, bias]
    })
}

/// [`parameters`], to be written.
pub fn parameters_mut<A>(nets: &mut [Mlp<A>]) -> impl Iterator<Item = &mut [A]> {
    let layers = nets.iter_mut().flat_map(|net| &mut net.layers);
    layers.flat_map(|layer| {
        let (weight, bias) = layer.as_slices_mut();
        [weight, bias]
    })
}

const CONTIGUOUS: &str = "weights are stored row by row";

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    fn net() -> Mlp<f32> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        Mlp::random(&[3, 16, 8, 2], Activation::Tanh, &mut rng)
    }

    #[test]
    fn parameters_are_all_weights_and_biases() {
        let net = net();
        assert_eq!(net.parameter_count(), 4 * 16 + 17 * 8 + 9 * 2);
        let counted: usize = parameters(std::slice::from_ref(&net))
            .map(<[f32]>::len)
            .sum();
        assert_eq!(counted, net.parameter_count());
        assert_eq!(net.widths().collect::<Vec<_>>(), [3, 16, 8, 2]);
    }

    #[test]
    fn random_weights_fill_their_bounds() {
        for (layer, inputs) in net().layers.iter().zip([3.0f32, 16.0, 8.0]) {
            let bound = inputs.sqrt().recip();
            let largest = layer.weight.iter().fold(0.0f32, |m, w| m.max(w.abs()));
            assert!(
                largest <= bound && largest > 0.7 * bound,
                "{largest} of {bound}"
            );
        }
    }
}
