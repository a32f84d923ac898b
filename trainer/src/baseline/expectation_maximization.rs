//! Fitting a mixture with a given number of components.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

use super::gaussian::Gaussian;
use super::mixture::GaussianMixture;

/// Starts, of which the one of most likelihood is kept.
const STARTS: u64 = 3;
/// Most turns from a start.
const TURNS: usize = 100;
/// A turn that gains less, in nats a row, is the last.
const LEAST_GAIN: f64 = 1e-3;
/// Added to a column's variance in each component, as a share of its variance in all points.
const RIDGE: f64 = 1e-6;

/// The mixture of most likelihood among [`STARTS`].
///
/// # Shapes
///
/// `points`: `[n, dim]`, at least one.
///
/// # Source
///
/// Dempster, Laird and Rubin, *Maximum Likelihood from Incomplete Data via the EM Algorithm*, 1977.
pub(super) fn fit(points: ArrayView2<f64>, components: usize, seed: u64) -> GaussianMixture {
    let ridge = ridge(points);
    if components == 1 {
        let all = Array2::ones((points.nrows(), 1));
        return maximize(points, &all, &ridge);
    }
    let fits: Vec<(GaussianMixture, f64)> = (0..STARTS)
        .into_par_iter()
        .map(|start| from_start(points, components, &ridge, seed.wrapping_add(start)))
        .collect();
    let best = fits.into_iter().max_by(|(_, a), (_, b)| a.total_cmp(b));
    best.expect("there are several starts").0
}

/// A mixture, and the mean of its `ln p` over the points.
fn from_start(
    points: ArrayView2<f64>,
    components: usize,
    ridge: &[f64],
    seed: u64,
) -> (GaussianMixture, f64) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let start = nearest_centre(points, components, &mut rng);
    let mut mixture = maximize(points, &start, ridge);
    let mut before = f64::NEG_INFINITY;
    for _ in 0..TURNS {
        let (responsibilities, log_prob) = expect(&mixture, points);
        if log_prob - before < LEAST_GAIN {
            return (mixture, log_prob);
        }
        before = log_prob;
        mixture = maximize(points, &responsibilities, ridge);
    }
    (mixture, before)
}

/// How far each component is responsible for each point, `[n, components]`; and the mean of `ln p`.
fn expect(mixture: &GaussianMixture, points: ArrayView2<f64>) -> (Array2<f64>, f64) {
    let mut joint = mixture.joint_log_probs(points);
    let log_probs = joint.map_axis(Axis(1), GaussianMixture::log_sum_exp);
    for (mut row, log_prob) in joint.rows_mut().into_iter().zip(&log_probs) {
        row.mapv_inplace(|term| (term - log_prob).exp());
    }
    (joint, log_probs.sum() / points.nrows() as f64)
}

/// The mixture of most likelihood where those responsibilities hold.
fn maximize(
    points: ArrayView2<f64>,
    responsibilities: &Array2<f64>,
    ridge: &[f64],
) -> GaussianMixture {
    /// So that a component that no point belongs to is still one.
    const LEAST_WEIGHT: f64 = 1e-12;
    let weights = responsibilities.mapv(|weight| weight + LEAST_WEIGHT);
    let total = weights.sum();
    let components = weights.columns().into_iter().map(|weights| {
        let share: f64 = weights.sum() / total;
        (share.ln(), Gaussian::fit(points, weights, ridge))
    });
    GaussianMixture::new(components.collect())
}

/// Each point given wholly to the nearest of the centres, `[n, components]`.
///
/// A centre is one of the points, drawn with a probability as the square of its distance from the
/// nearest centre before.
///
/// # Source
///
/// Arthur and Vassilvitskii, *k-means++: The Advantages of Careful Seeding*, 2007.
fn nearest_centre(
    points: ArrayView2<f64>,
    components: usize,
    rng: &mut Xoshiro256PlusPlus,
) -> Array2<f64> {
    let count = points.nrows();
    let mut nearest = vec![(f64::INFINITY, 0); count];
    let mut centre = rng.random_range(0..count);
    for component in 0..components {
        for (point, nearest) in points.rows().into_iter().zip(&mut nearest) {
            let difference = &point - &points.row(centre);
            let square = difference.dot(&difference);
            if square < nearest.0 {
                *nearest = (square, component);
            }
        }
        centre = draw(&nearest, rng);
    }
    let mut start = Array2::zeros((count, components));
    for (i, (_, component)) in nearest.into_iter().enumerate() {
        start[[i, component]] = 1.0;
    }
    start
}

/// An index, with a probability as the first number.
fn draw(weights: &[(f64, usize)], rng: &mut Xoshiro256PlusPlus) -> usize {
    let total: f64 = weights.iter().map(|(weight, _)| weight).sum();
    let mut left = rng.random::<f64>() * total;
    let drawn = weights.iter().position(|(weight, _)| {
        left -= weight;
        left < 0.0
    });
    // By rounding, or where all points are centres already.
    drawn.unwrap_or(weights.len() - 1)
}

/// A share of the variance of each column, or of 1 where it has none.
fn ridge(points: ArrayView2<f64>) -> Vec<f64> {
    let variances: Array1<f64> = points.var_axis(Axis(0), 0.0);
    let of = |variance: f64| RIDGE * if variance > 0.0 { variance } else { 1.0 };
    variances.into_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn every_turn_gains_likelihood() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let points = Array2::from_shape_simple_fn((300, 2), || rng.random::<f64>());
        let ridge = ridge(points.view());
        let start = nearest_centre(points.view(), 5, &mut rng);
        let mut mixture = maximize(points.view(), &start, &ridge);
        let mut before = f64::NEG_INFINITY;
        for _ in 0..20 {
            let (responsibilities, log_prob) = expect(&mixture, points.view());
            assert!(log_prob > before, "{log_prob} after {before}");
            let sums = responsibilities.sum_axis(Axis(1));
            assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-12));
            before = log_prob;
            mixture = maximize(points.view(), &responsibilities, &ridge);
        }
    }

    #[test]
    fn centres_lie_in_clusters_far_apart() {
        // Four clusters of ten: by chance alone, four draws meet all of them one time in eleven.
        let points = Array2::from_shape_fn((40, 2), |(i, j)| {
            [(i % 4 / 2) as f64, (i % 2) as f64][j] * 1000.0 + i as f64 * 0.01
        });
        for seed in 0..20 {
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
            let start = nearest_centre(points.view(), 4, &mut rng);
            assert_eq!(start.sum_axis(Axis(0)), array![10.0, 10.0, 10.0, 10.0]);
        }
    }

    #[test]
    fn a_column_without_variance_is_ridged() {
        let points = array![[1.0, 5.0], [3.0, 5.0]];
        assert_eq!(ridge(points.view()), [1e-6, 1e-6]);
        let mixture = fit(points.view(), 2, 1);
        assert!(
            mixture
                .log_probs(points.view())
                .iter()
                .all(|p| p.is_finite())
        );
    }
}
