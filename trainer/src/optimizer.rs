//! How weights follow gradients.

mod adam;
mod product;
mod soap;

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

pub use adam::Adam;
pub use soap::Soap;

use crate::nn::{Mlp, parameters, parameters_mut};

/// An optimizer, with what it remembers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Optimizer {
    /// By the size of each weight's own gradients.
    Adam(Adam),
    /// By the size of the gradients in each matrix's principal directions.
    Soap(Soap),
}

impl Optimizer {
    /// Moves the weights of `nets` against `factor` · `gradient`.
    pub fn step(&mut self, nets: &mut [Mlp<f32>], gradient: &[Mlp<f32>], factor: f32, rate: f64) {
        match self {
            Self::Adam(adam) => adam.step(nets, gradient, factor, rate),
            Self::Soap(soap) => soap.step(nets, gradient, factor, rate),
        }
    }

    /// Forgets all gradients.
    pub fn reset(&mut self, nets: &[Mlp<f32>]) {
        match self {
            Self::Adam(adam) => *adam = Adam::new(nets),
            Self::Soap(soap) => *soap = Soap::new(nets),
        }
    }
}

/// Moves `average` towards `nets` by a share of the way.
///
/// The running average of the weights fits better than the weights of any one step.
///
/// # Source
///
/// Polyak and Juditsky, *Acceleration of Stochastic Approximation by Averaging*, 1992.
pub fn pull(average: &mut [Mlp<f32>], nets: &[Mlp<f32>], share: f32) {
    for (average, weights) in parameters_mut(average).zip(parameters(nets)) {
        let pairs = average.iter_mut().zip(weights);
        pairs.for_each(|(a, &w)| *a += share * (w - *a));
    }
}

/// The part of the full learning rate at `step` of `steps`: half a cosine from 1 to 0.
///
/// # Source
///
/// Loshchilov and Hutter, *SGDR*, 2017, equation 5, without restarts.
pub fn cosine_decay(step: usize, steps: usize) -> f64 {
    0.5 * (1.0 + (PI * step as f64 / steps as f64).cos())
}

/// The Euclidean norm of all gradients together.
pub fn norm(gradient: &[Mlp<f32>]) -> f64 {
    let squares = parameters(gradient).map(|tensor| {
        let squares = tensor.iter().map(|&g| f64::from(g) * f64::from(g));
        squares.sum::<f64>()
    });
    squares.sum::<f64>().sqrt()
}

#[cfg(test)]
pub(crate) mod tests {
    use flowlet::format::Activation;
    use ndarray::{arr1, arr2};

    use super::*;
    use crate::nn::Dense;

    /// A net of one weight and one bias.
    pub(crate) fn line(weight: f32, bias: f32) -> Vec<Mlp<f32>> {
        let layers = vec![Dense {
            weight: arr2(&[[weight]]),
            bias: arr1(&[bias]),
        }];
        let activation = Activation::Tanh;
        vec![Mlp { layers, activation }]
    }

    #[test]
    fn finds_the_bottom_of_a_bowl() {
        let start = line(3.0, -2.0);
        for mut optimizer in [
            Optimizer::Adam(Adam::new(&start)),
            Optimizer::Soap(Soap::new(&start)),
        ] {
            let mut nets = start.clone();
            for step in 0..1000 {
                let layer = &nets[0].layers[0];
                let gradient = line(layer.weight[[0, 0]] - 1.0, 10.0 * (layer.bias[0] - 0.5));
                optimizer.step(&mut nets, &gradient, 1.0, 0.1 * cosine_decay(step, 1000));
            }
            let layer = &nets[0].layers[0];
            assert!((layer.weight[[0, 0]] - 1.0).abs() < 1e-3, "{layer:?}");
            assert!((layer.bias[0] - 0.5).abs() < 1e-3, "{layer:?}");
        }
    }

    #[test]
    fn the_rate_falls_from_one_to_zero() {
        assert_eq!(cosine_decay(0, 100), 1.0);
        assert!((cosine_decay(50, 100) - 0.5).abs() < 1e-12);
        assert!(cosine_decay(100, 100).abs() < 1e-12);
    }

    #[test]
    fn the_norm_is_over_all_weights() {
        assert_eq!(norm(&[line(3.0, 0.0), line(0.0, -4.0)].concat()), 5.0);
    }
}
