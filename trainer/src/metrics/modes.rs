//! How samples are spread over the modes of the toy set of eight Gaussians.

use ndarray::ArrayView2;

use crate::data::toy::ToySet;

/// Standard deviations from every mode beyond which a point is between them: of the law itself, 3 points
/// in 10,000.
const FAR: f64 = 4.0;

/// Where points lie that should be of [`ToySet::Gaussians`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Modes {
    /// Share of the points that are farther than four standard deviations from every mode: the mass on
    /// the bridges between them.
    pub between: f64,
    /// The largest difference of a mode's share from 1/8, each point counting for its nearest mode.
    pub weight_deviation: f64,
}

/// Counts points by their modes; `NaN` where there are none.
///
/// A point that is not finite is between the modes.
///
/// # Shapes
///
/// `points`: `[n, 2]`, in the data's units.
pub fn modes(points: ArrayView2<f32>) -> Modes {
    let centres = ToySet::Gaussians.centres();
    let far = (FAR * ToySet::Gaussians.std()).powi(2);
    let mut counts = vec![0usize; centres.len()];
    let mut between = 0usize;
    for point in points.rows() {
        let square = |centre: &[f64; 2]| {
            let difference = |i: usize| f64::from(point[i]) - centre[i];
            difference(0).powi(2) + difference(1).powi(2)
        };
        let squares = centres.iter().map(square).enumerate();
        let nearest = squares.min_by(|(_, a), (_, b)| a.total_cmp(b));
        let (mode, square) = nearest.expect("there are eight modes");
        counts[mode] += 1;
        between += usize::from(square.is_nan() || square > far);
    }
    let count = points.nrows() as f64;
    let deviation = |mode: &usize| (*mode as f64 / count - 1.0 / centres.len() as f64).abs();
    Modes {
        between: between as f64 / count,
        // f64::max would drop NaN.
        weight_deviation: match points.nrows() {
            0 => f64::NAN,
            _ => counts.iter().map(deviation).fold(0.0, f64::max),
        },
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    #[test]
    fn points_count_for_their_nearest_mode_or_between() {
        // Two at the mode (2, 0), one of them 3.9 standard deviations off, one at (0, 2), one at (−2, 0)
        // but 4.1 off, and one in the middle, which is as near to any.
        let points = array![[2.0, 0.0], [2.585, 0.0], [0.0, 2.0], [-2.615, 0.0]];
        let found = modes(points.view());
        assert_eq!(found.between, 0.25);
        assert_eq!(found.weight_deviation, 0.375);
        assert_eq!(modes(array![[0.0, 0.0]].view()).between, 1.0);
        assert_eq!(modes(array![[f32::NAN, 0.0]].view()).between, 1.0);
        assert!(modes(Array2::zeros((0, 2)).view()).between.is_nan());
    }

    #[test]
    fn the_law_itself_has_next_to_nothing_between() {
        // e⁻⁸ = 0.00034 of the points are expected, 33.5 of 100,000; five standard deviations.
        const BETWEEN: std::ops::Range<f64> = 0.5e-4..6.3e-4;
        // A share's standard deviation is 0.00105.
        const MOST_DEVIATION: f64 = 0.005;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let points = ToySet::Gaussians.sample_independent(100_000, &mut rng);
        let found = modes(points.view());
        assert!(BETWEEN.contains(&found.between), "{found:?}");
        assert!(found.weight_deviation < MOST_DEVIATION, "{found:?}");
    }
}
