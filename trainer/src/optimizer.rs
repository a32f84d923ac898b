//! How weights follow gradients.

use std::f64::consts::PI;

use crate::nn::{Mlp, parameters, parameters_mut};

const MEAN_DECAY: f32 = 0.9;
const SQUARE_DECAY: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// Adam: each weight moves by the mean of its gradients over the root of their mean square.
///
/// # Source
///
/// Kingma and Ba, *Adam: A Method for Stochastic Optimization*, 2015, algorithm 1.
#[derive(Clone, Debug)]
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
