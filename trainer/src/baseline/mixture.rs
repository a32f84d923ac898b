//! A mixture of Gaussians with full covariance matrices.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

use super::expectation_maximization;
use super::gaussian::Gaussian;
use super::selection;

/// A density p(x) = Σ wᵢ N(x; meanᵢ, covarianceᵢ).
#[derive(Clone, Debug)]
pub struct GaussianMixture {
    /// ln wᵢ and the Gaussian of each component.
    components: Vec<(f64, Gaussian)>,
}

impl GaussianMixture {
    pub(super) fn new(components: Vec<(f64, Gaussian)>) -> Self {
        Self { components }
    }

    /// The mixture of that many components by expectation maximization, from the best of three
    /// k-means++ starts; 1e-6 of each column's variance is added to those of all components.
    ///
    /// The same points and seed give the same mixture, whatever the number of threads.
    ///
    /// # Shapes
    ///
    /// `points`: `[n, dim]`, at least one.
    ///
    /// # Panics
    ///
    /// If there are no points, or no components are asked for, or one is not finite.
    ///
    /// # Cost
    ///
    /// Up to 300 times `2 · components · n · dim²` multiply-adds; with one component a single time.
    pub fn fit(points: ArrayView2<f64>, components: usize, seed: u64) -> Self {
        expectation_maximization::fit(points, components, seed)
    }

    /// The mixture whose number of components, of 1, 2, 4, 8, 16 and 32, gives the most likelihood to
    /// rows kept out: a fifth, in runs spread over the table, since neighbours are often alike.
    ///
    /// Numbers that the rows are too few for, or whose fit would take too long, are not tried; nor are
    /// larger ones than two that did not help. At most 10,000 rows from all over the table count.
    ///
    /// # Panics
    ///
    /// If there are no points or one is not finite.
    ///
    /// # Cost
    ///
    /// Seconds at the most.
    pub fn select(points: ArrayView2<f64>, seed: u64) -> Self {
        selection::select(points, seed)
    }

    /// How many components there are.
    pub fn component_count(&self) -> usize {
        self.components.len()
    }

    /// `ln p` of each row of `points` `[n, dim]`, in nats.
    pub fn log_probs(&self, points: ArrayView2<f64>) -> Vec<f64> {
        let joint = self.joint_log_probs(points);
        joint.rows().into_iter().map(Self::log_sum_exp).collect()
    }

    /// ln wᵢ + ln N(x; meanᵢ, covarianceᵢ) of each row and component, `[n, components]`.
    pub(super) fn joint_log_probs(&self, points: ArrayView2<f64>) -> Array2<f64> {
        let mut joint = Array2::zeros((points.nrows(), self.components.len()));
        for (mut column, (log_weight, gaussian)) in
            joint.columns_mut().into_iter().zip(&self.components)
        {
            let log_probs: Array1<f64> = gaussian.log_probs(points);
            column.assign(&(log_probs + *log_weight));
        }
        joint
    }

    /// `ln Σ exp(terms)`, in range however small the terms are.
    pub(super) fn log_sum_exp(terms: ArrayView1<f64>) -> f64 {
        let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = terms.iter().map(|term| (term - largest).exp()).sum();
        largest + sum.ln()
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use ndarray::array;
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::data::toy::ToySet;

    fn gaussians(seed: u64, n: usize) -> Array2<f64> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let points = ToySet::Gaussians.sample_independent(n, &mut rng);
        points.mapv(f64::from)
    }

    #[test]
    fn log_prob_is_that_of_the_weighted_sum() {
        const TOLERANCE: f64 = 1e-5;
        // A quarter of the points at 0 ± 1, the rest at 100 ± 2.
        let points = array![
            [-1.0],
            [1.0],
            [98.0],
            [98.0],
            [98.0],
            [102.0],
            [102.0],
            [102.0]
        ];
        let mixture = GaussianMixture::fit(points.view(), 2, 1);
        let normal = |x: f64, std: f64| -0.5 * (x / std).powi(2) - std.ln() - 0.5 * TAU.ln();
        let expected = [
            0.25f64.ln() + normal(0.5, 1.0),
            0.75f64.ln() + normal(1.0, 2.0),
        ];
        // The ridge, 1e-6 of a variance of 1,877, is 0.2 % of the variance of the first.
        let found = mixture.log_probs(array![[0.5], [101.0]].view());
        let ridged = 0.5 * (1.0 + 1e-6 * 1877.0f64).ln();
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() < ridged + TOLERANCE,
                "{found} for {expected}"
            );
        }
    }

    #[test]
    fn eight_components_find_the_eight_gaussians() {
        /// Forty-seven parameters cost 47 / (2 · 4000) nats where all modes are found, and three times that
        /// by chance; a mode that is missed costs a tenth of a nat and more.
        const MOST_LOST: f64 = 0.018;
        let mixture = GaussianMixture::fit(gaussians(1, 4000).view(), 8, 1);
        let fresh = gaussians(2, 4000);
        let by_fit: f64 = mixture.log_probs(fresh.view()).iter().sum();
        let exact: f64 = fresh
            .rows()
            .into_iter()
            .map(|x| ToySet::Gaussians.log_density([x[0], x[1]]))
            .sum();
        let lost = (exact - by_fit) / 4000.0;
        assert!((0.0..MOST_LOST).contains(&lost), "{lost}");
    }

    #[test]
    fn selection_finds_that_there_are_eight() {
        let mixture = GaussianMixture::select(gaussians(1, 2000).view(), 1);
        assert_eq!(mixture.component_count(), 8);
        let one = &gaussians(3, 2000) * 0.0 + &normal(2000);
        assert_eq!(GaussianMixture::select(one.view(), 1).component_count(), 1);
    }

    fn normal(n: usize) -> Array2<f64> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
        Array2::from_shape_simple_fn((n, 2), || flowlet::StandardNormal.sample(&mut rng).into())
    }

    #[test]
    fn threads_change_no_bit() {
        let points = gaussians(1, 500);
        let log_probs = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let mixture = pool
                .build()
                .unwrap()
                .install(|| GaussianMixture::select(points.view(), 3));
            mixture.log_probs(points.view())
        };
        assert_eq!(log_probs(1), log_probs(2));
    }
}
