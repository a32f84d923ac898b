//! A Gaussian with a full covariance matrix.

use std::f64::consts::TAU;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

use crate::whitening::cholesky;

/// A normal distribution N(mean, L Lᵀ).
#[derive(Clone, Debug)]
pub struct Gaussian {
    mean: Array1<f64>,
    /// L⁻¹, transposed: upper triangular, so that rows times it are whitened.
    whitening: Array2<f64>,
    /// −Σ ln Lᵢᵢ − D/2 ln 2π
    log_peak: f64,
}

impl Gaussian {
    /// The Gaussian of most likelihood, with `ridge` added to the variance of each column.
    ///
    /// # Shapes
    ///
    /// `points`: `[n, dim]`, `weights`: `[n]`, how much each point counts, `ridge`: `[dim]`.
    ///
    /// # Panics
    ///
    /// If the weights have no sum above 0, or the points are so far out that the ridge is lost beside
    /// their squares.
    ///
    /// # Cost
    ///
    /// `n · dim²` multiply-adds.
    pub fn fit(points: ArrayView2<f64>, weights: ArrayView1<f64>, ridge: &[f64]) -> Self {
        let total = weights.sum();
        assert!(total > 0.0, "some point counts");
        let mean = points.t().dot(&weights) / total;
        let centred = &points - &mean;
        let weighted = &centred * &weights.insert_axis(Axis(1));
        let mut covariance = centred.t().dot(&weighted) / total;
        covariance
            .diag_mut()
            .iter_mut()
            .zip(ridge)
            .for_each(|(variance, ridge)| *variance += ridge);
        let factor = cholesky(&covariance).expect("the ridge keeps the covariance definite");
        let log_det: f64 = factor.diag().iter().map(|l| l.ln()).sum();
        Self {
            log_peak: -log_det - 0.5 * mean.len() as f64 * TAU.ln(),
            whitening: inverse_of_lower(&factor).reversed_axes(),
            mean,
        }
    }

    /// `ln p` of each row of `points` `[n, dim]`, in nats.
    pub fn log_probs(&self, points: ArrayView2<f64>) -> Array1<f64> {
        let whitened = (&points - &self.mean).dot(&self.whitening);
        whitened.map_axis(Axis(1), |z| self.log_peak - 0.5 * z.dot(&z))
    }
}

/// L⁻¹, by forward substitution.
fn inverse_of_lower(lower: &Array2<f64>) -> Array2<f64> {
    let dim = lower.nrows();
    let mut inverse = Array2::<f64>::zeros((dim, dim));
    for column in 0..dim {
        for i in column..dim {
            let unit = f64::from(u8::from(i == column));
            let before: f64 = (column..i)
                .map(|k| lower[[i, k]] * inverse[[k, column]])
                .sum();
            inverse[[i, column]] = (unit - before) / lower[[i, i]];
        }
    }
    inverse
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn cholesky_and_its_inverse_are_those_of_a_known_matrix() {
        // A textbook's example.
        let matrix = array![
            [4.0, 12.0, -16.0],
            [12.0, 37.0, -43.0],
            [-16.0, -43.0, 98.0]
        ];
        let lower = cholesky(&matrix).unwrap();
        assert_eq!(
            lower,
            array![[2.0, 0.0, 0.0], [6.0, 1.0, 0.0], [-8.0, 5.0, 3.0]]
        );
        let product = inverse_of_lower(&lower).dot(&lower);
        let difference = (product - Array2::<f64>::eye(3)).mapv(f64::abs).sum();
        assert!(difference < 1e-12, "{difference}");
    }

    /// Points (±1, 0), (0, ±2) about (5, 7): variances ½ and 2, no correlation.
    #[test]
    fn log_prob_is_the_formula() {
        const TOLERANCE: f64 = 1e-12;
        let points = array![[6.0, 7.0], [4.0, 7.0], [5.0, 9.0], [5.0, 5.0]];
        let gaussian = Gaussian::fit(points.view(), Array1::ones(4).view(), &[0.0, 0.0]);
        // Determinant 1, so only 2π and the squares over the variances are left.
        let expected = array![-1.0, -1.0 - 0.5 * 9.0 / 2.0] - TAU.ln();
        let found = gaussian.log_probs(array![[6.0, 7.0], [6.0, 10.0]].view());
        let difference = (found - expected).mapv(f64::abs).sum();
        assert!(difference < TOLERANCE, "{difference}");
    }

    #[test]
    fn weights_count_points_as_often() {
        const TOLERANCE: f64 = 1e-12;
        let once = array![[0.0, 1.0], [2.0, 5.0], [3.0, -1.0]];
        let twice = array![[0.0, 1.0], [0.0, 1.0], [2.0, 5.0], [3.0, -1.0]];
        let ridge = [0.1, 0.1];
        let by_weight = Gaussian::fit(once.view(), array![2.0, 1.0, 1.0].view(), &ridge);
        let by_count = Gaussian::fit(twice.view(), Array1::ones(4).view(), &ridge);
        let difference = by_weight.log_probs(once.view()) - by_count.log_probs(once.view());
        assert!(difference.iter().all(|d| d.abs() < TOLERANCE));
    }

    #[test]
    fn ridge_makes_a_density_of_a_line() {
        let points = array![[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]];
        let ridge = [1e-6, 1e-6];
        let gaussian = Gaussian::fit(points.view(), Array1::ones(3).view(), &ridge);
        let found = gaussian.log_probs(array![[1.0, 1.0], [1.0, 1.1]].view());
        assert!(
            found[0].is_finite() && found[1] < found[0] - 1000.0,
            "{found}"
        );
    }
}
