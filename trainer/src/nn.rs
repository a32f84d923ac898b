//! Multilayer perceptrons: forward and backward passes.

use flowlet::format::Activation;
use ndarray::{Array1, Array2};

/// One affine layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense<A> {
    /// `[outputs, inputs]`, as in PyTorch and Equinox.
    pub weight: Array2<A>,
    /// `[outputs]`.
    pub bias: Array1<A>,
}

/// Affine layers with one activation between them and none after the last.
#[derive(Clone, Debug, PartialEq)]
pub struct Mlp<A> {
    /// From the input to the output.
    pub layers: Vec<Dense<A>>,
    /// The function between the layers.
    pub activation: Activation,
}
