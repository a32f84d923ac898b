//! How weights follow gradients.

mod adam;
mod product;
mod soap;

use std::f64::consts::PI;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use adam::Adam;
pub use soap::Soap;

use crate::nn::kernel::dispatch;
use crate::nn::{Mlp, parameters, parameters_mut};

/// Tensors that one thread takes at a time where it has little to do for each: those of four small
/// nets take less time than another thread takes to hear of them.
pub(crate) const TENSORS_A_TASK: usize = 8;

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
    let pairs: Vec<_> = parameters_mut(average).zip(parameters(nets)).collect();
    let pairs = pairs.into_par_iter().with_min_len(TENSORS_A_TASK);
    pairs.for_each(|(mean, values)| {
        dispatch(Approach {
            mean,
            values,
            share,
        });
    });
}

/// mean := mean + share · (values − mean)
struct Approach<'a> {
    mean: &'a mut [f32],
    values: &'a [f32],
    share: f32,
}

impl WithSimd for Approach<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let pairs = self.mean.iter_mut().zip(self.values);
        pairs.for_each(|(a, &w)| *a += self.share * (w - *a));
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
    parameters(gradient).map(squares).sum::<f64>().sqrt()
}

/// The sum of the squares of `numbers`.
pub(crate) fn squares(numbers: &[f32]) -> f64 {
    dispatch(Squares(numbers))
}

struct Squares<'a>(&'a [f32]);

impl WithSimd for Squares<'_> {
    type Output = f64;

    /// Four vectors of sums, each in one order: the same bits on every processor.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let (blocks, rest) = self.0.as_chunks::<16>();
        let mut sums = [0.0; 16];
        for block in blocks {
            for (sum, &g) in sums.iter_mut().zip(block) {
                *sum += f64::from(g) * f64::from(g);
            }
        }
        let rest = rest.iter().map(|&g| f64::from(g) * f64::from(g));
        sums.into_iter().sum::<f64>() + rest.sum::<f64>()
    }
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
