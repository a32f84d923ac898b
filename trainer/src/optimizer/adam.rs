//! Adam, which scales the step of each weight by itself.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::TENSORS_A_TASK;
use crate::nn::kernel::dispatch;
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
        let tensors: Vec<_> = parameters_mut(nets).zip(parameters(gradient)).collect();
        let tensors = tensors.into_par_iter().zip(&mut self.moments);
        let tensors = tensors.with_min_len(TENSORS_A_TASK);
        tensors.for_each(|((weights, gradient), [means, squares])| {
            dispatch(Step {
                weights,
                gradient,
                means,
                squares,
                factor,
                rate,
                root,
            });
        });
    }
}

/// The step of one tensor.
struct Step<'a> {
    weights: &'a mut [f32],
    gradient: &'a [f32],
    means: &'a mut [f32],
    squares: &'a mut [f32],
    factor: f32,
    rate: f32,
    root: f32,
}

impl WithSimd for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let moments = self.means.iter_mut().zip(self.squares);
        let weights = self.weights.iter_mut().zip(self.gradient);
        for ((w, &g), (mean, square)) in weights.zip(moments) {
            let g = g * self.factor;
            *mean += (1.0 - MEAN_DECAY) * (g - *mean);
            *square += (1.0 - SQUARE_DECAY) * (g * g - *square);
            *w -= self.rate * *mean / (square.sqrt() * self.root + EPSILON);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::tests::line;

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
}
