//! How weights follow gradients.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::nn::{Mlp, parameters, parameters_mut};

const MEAN_DECAY: f32 = 0.9;
const SQUARE_DECAY: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// Adam: each weight moves by the mean of its gradients over the root of their mean square.
///
/// # Source
///
/// Kingma and Ba, *Adam: A Method for Stochastic Optimization*, 2015, algorithm 1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Adam {
    steps: i32,
    /// Running means of each weight's gradient and of its square.
    moments: Vec<[Vec<f32>; 2]>,
}

impl Adam {
    /// At rest, for the weights of `nets`.
    pub fn new(nets: &[Mlp<f32>]) -> Self {
        let zeros = |tensor: &[f32]| [vec![0.0; tensor.len()], vec![0.0; tensor.len()]];
        Self {
            steps: 0,
            moments: parameters(nets).map(zeros).collect(),
        }
    }

    /// Moves the weights of `nets` against `factor` · `gradient`.
    pub fn step(&mut self, nets: &mut [Mlp<f32>], gradient: &[Mlp<f32>], factor: f32, rate: f64) {
        self.steps = self.steps.saturating_add(1);
        let mean_share = 1.0 - f64::from(MEAN_DECAY).powi(self.steps);
        let square_share = 1.0 - f64::from(SQUARE_DECAY).powi(self.steps);
        let rate = (rate / mean_share) as f32;
        let root = square_share.sqrt().recip() as f32;
        let tensors = parameters_mut(nets).zip(parameters(gradient));
        for ((weights, gradient), [means, squares]) in tensors.zip(&mut self.moments) {
            let moments = means.iter_mut().zip(squares);
            for ((w, &g), (mean, square)) in weights.iter_mut().zip(gradient).zip(moments) {
                let g = g * factor;
                *mean += (1.0 - MEAN_DECAY) * (g - *mean);
                *square += (1.0 - SQUARE_DECAY) * (g * g - *square);
                *w -= rate * *mean / (square.sqrt() * root + EPSILON);
            }
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
mod tests {
    use flowlet::format::Activation;
    use ndarray::{arr1, arr2};

    use super::*;
    use crate::nn::Dense;

    /// A net of one weight and one bias.
    fn line(weight: f32, bias: f32) -> Vec<Mlp<f32>> {
        let layers = vec![Dense {
            weight: arr2(&[[weight]]),
            bias: arr1(&[bias]),
        }];
        let activation = Activation::Tanh;
        vec![Mlp { layers, activation }]
    }

    #[test]
    fn steps_are_those_of_algorithm_1() {
        // In f32, against the formulas in f64.
        const TOLERANCE: f64 = 1e-6;
        let mut nets = line(1.0, 0.0);
        let mut adam = Adam::new(&nets);
        let (mut weight, mut mean, mut square) = (1.0, 0.0, 0.0);
        for (i, g) in [0.3, -1.0, 2.0, 0.1].into_iter().enumerate() {
            adam.step(&mut nets, &line(2.0 * g as f32, 0.0), 0.5, 0.01);
            mean = 0.9 * mean + 0.1 * g;
            square = 0.999 * square + 0.001 * g * g;
            let t = i as i32 + 1;
            let (mean, square): (f64, f64) = (
                mean / (1.0 - 0.9f64.powi(t)),
                square / (1.0 - 0.999f64.powi(t)),
            );
            weight -= 0.01 * mean / (square.sqrt() + 1e-8);
            let error = f64::from(nets[0].layers[0].weight[[0, 0]]) - weight;
            assert!(error.abs() < TOLERANCE, "step {t}: {error:e}");
        }
    }

    #[test]
    fn finds_the_bottom_of_a_bowl() {
        let mut nets = line(3.0, -2.0);
        let mut adam = Adam::new(&nets);
        for step in 0..1000 {
            let layer = &nets[0].layers[0];
            let gradient = line(layer.weight[[0, 0]] - 1.0, 10.0 * (layer.bias[0] - 0.5));
            adam.step(&mut nets, &gradient, 1.0, 0.1 * cosine_decay(step, 1000));
        }
        let layer = &nets[0].layers[0];
        assert!((layer.weight[[0, 0]] - 1.0).abs() < 1e-3, "{layer:?}");
        assert!((layer.bias[0] - 0.5).abs() < 1e-3, "{layer:?}");
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
