//! The maximum mean discrepancy.

use ndarray::ArrayView2;

use super::pairs::Columns;
use crate::nn::scalar::Scalar;

/// Widths of the kernels that are averaged, in the units of the points.
pub const BANDWIDTHS: [f32; 5] = [0.1, 0.2, 0.5, 1.0, 2.0];

/// The squared maximum mean discrepancy of two sets: E k(X, X′) + E k(Y, Y′) − 2 E k(X, Y), where
/// k(x, y) is the mean of exp(−‖x − y‖² / (2 h²)) over the [`BANDWIDTHS`] h.
///
/// The means leave out the pairs of a point with itself, so that the estimate has no bias: over sets of
/// independent points of one law it is 0 in the mean, and negative as often as not. `NaN` where a set has
/// fewer than two points or one is not finite.
///
/// # Shapes
///
/// `a`: `[n, dim]`, `b`: `[m, dim]`.
///
/// # Panics
///
/// If the sets differ in their dimension.
///
/// # Cost
///
/// `n²/2 + m²/2 + n m` exponentials in `f32`.
///
/// # Source
///
/// Gretton et al., *A Kernel Two-Sample Test*, 2012, equation 3.
pub fn squared_mmd(a: ArrayView2<f32>, b: ArrayView2<f32>) -> f64 {
    Mmd::to(b).squared(a)
}

/// [`squared_mmd`] to one set, of any number of others.
#[derive(Clone, Debug)]
pub struct Mmd {
    target: Columns,
    mean_within: f64,
}

impl Mmd {
    /// Prepares the discrepancy from a set, whose own kernels are summed here.
    pub fn to(target: ArrayView2<f32>) -> Self {
        let target = Columns::new(target);
        Self {
            mean_within: mean_within(&target),
            target,
        }
    }

    /// The squared discrepancy of a set.
    ///
    /// # Panics
    ///
    /// If the sets differ in their dimension.
    pub fn squared(&self, points: ArrayView2<f32>) -> f64 {
        let points = Columns::new(points);
        let pairs = points.count as f64 * self.target.count as f64;
        let mean = points.sum_between(&self.target, kernel) / pairs;
        mean_within(&points) + self.mean_within - 2.0 * mean
    }
}

/// The mean over all pairs of two different points.
fn mean_within(points: &Columns) -> f64 {
    let count = points.count as f64;
    // The kernel of a point and itself is 1.
    let sum = points.sum_within(kernel) - count;
    2.0 * sum / (count * (count - 1.0))
}

/// The mean of the kernels at a squared distance.
///
/// All are powers of the widest one, exp(−d²/8), so one exponential serves five.
// A call for each pair would keep the compiler from taking many at a time.
#[inline(always)]
fn kernel(square: f32) -> f32 {
    let h2 = (-0.125 * square).quick_exp();
    let square_of = |x: f32| x * x;
    let h1 = square_of(square_of(h2));
    let h05 = square_of(square_of(h1));
    // Before the powers leave the normal numbers, with which a processor is slow; by then they are nothing.
    let to_32 = square_of(h05.max(1e-5));
    let h02 = square_of(to_32) * to_32 * h1;
    let h01 = square_of(square_of(h02.max(1e-9)));
    (h2 + h1 + h05 + h02 + h01) * (1.0 / BANDWIDTHS.len() as f32)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array, s};
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::nn::scalar::QUICK_EXP_ERROR;

    fn normal(seed: u64, n: usize) -> Array2<f32> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        Array2::from_shape_simple_fn((n, 2), || flowlet::StandardNormal.sample(&mut rng))
    }

    /// By the formula, for points of one dimension.
    fn kernel_by_formula(distance: f64) -> f64 {
        let of = |h: &f32| (-distance.powi(2) / (2.0 * f64::from(*h).powi(2))).exp();
        BANDWIDTHS.iter().map(of).sum::<f64>() / 5.0
    }

    #[test]
    fn kernel_is_the_formula() {
        /// The narrowest kernel is the 400th power of an exponential.
        const TOLERANCE: f64 = 400.0 * QUICK_EXP_ERROR as f64;
        for i in 0..4000 {
            let distance = f64::from(i) / 200.0;
            let found = f64::from(kernel((distance * distance) as f32));
            let expected = kernel_by_formula(distance);
            assert!(
                (found - expected).abs() < TOLERANCE * expected + 1e-30,
                "{found} for {expected} at {distance}"
            );
        }
        assert_eq!(kernel(0.0), 1.0);
        assert!(kernel(f32::INFINITY) < 1e-30);
        assert!(kernel(f32::NAN).is_nan());
    }

    #[test]
    fn pairs_of_different_points_count_each_once() {
        /// Kernels in f32.
        const TOLERANCE: f64 = 1e-6;
        // Within: k(2) and k(1); between: |0 − 1|, |0 − 2|, |2 − 1| and |2 − 2|.
        let (a, b) = (array![[0.0], [2.0]], array![[1.0], [2.0]]);
        let k = kernel_by_formula;
        let expected = k(2.0) + k(1.0) - 2.0 * (k(1.0) + k(2.0) + k(1.0) + k(0.0)) / 4.0;
        let found = squared_mmd(a.view(), b.view());
        assert!(
            (found - expected).abs() < TOLERANCE,
            "{found} for {expected}"
        );
    }

    /// For X ~ N(0, I) and Y ~ N(δ, I) in two dimensions the difference of two points is N(·, 2 I), so
    /// E k = v exp(−δ²/(4 + 2 h²)) with v = h²/(h² + 2), and MMD² = 2 mean of v (1 − exp(…)).
    #[test]
    fn shifted_normals_are_as_far_as_the_integral_says() {
        /// Four standard deviations of the estimate from 3,000 points, which is 0.0025 for either shift.
        const TOLERANCE: f64 = 0.01;
        for shift in [0.5f64, 2.0] {
            let term = |h: &f32| {
                let h2 = f64::from(*h).powi(2);
                h2 / (h2 + 2.0) * (1.0 - (-shift * shift / (4.0 + 2.0 * h2)).exp())
            };
            let expected = 2.0 * BANDWIDTHS.iter().map(term).sum::<f64>() / 5.0;
            let mut shifted = normal(2, 3000);
            shifted.column_mut(0).mapv_inplace(|x| x + shift as f32);
            let found = squared_mmd(normal(1, 3000).view(), shifted.view());
            assert!(
                (found - expected).abs() < TOLERANCE,
                "{found} for {expected}"
            );
        }
    }

    #[test]
    fn sets_of_one_law_are_nothing_apart_in_the_mean() {
        let distances: Vec<f64> = (0..40)
            .map(|i| squared_mmd(normal(2 * i, 200).view(), normal(2 * i + 1, 200).view()))
            .collect();
        let mean = distances.iter().sum::<f64>() / 40.0;
        let variance = distances.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 39.0;
        // Four standard errors.
        assert!(mean.abs() < 4.0 * (variance / 40.0).sqrt(), "{mean}");
        // With the pairs of a point and itself it would be 2 (1 − E k) / 200, 0.0073.
        assert!(mean.abs() < 0.0035, "{mean}");
    }

    #[test]
    fn nan_and_too_few_points_are_not_hidden() {
        let points = normal(1, 40);
        for wrong in [f32::NAN, f32::INFINITY] {
            let mut broken = points.clone();
            broken[[39, 1]] = wrong;
            assert!(squared_mmd(points.view(), broken.view()).is_nan());
            assert!(squared_mmd(broken.view(), points.view()).is_nan());
        }
        assert!(squared_mmd(points.view(), points.slice(s![..1, ..])).is_nan());
    }
}
