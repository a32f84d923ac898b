//! Rows cast far out while a flow is trained, so that far rows do not surprise it.

use flowlet::StandardNormal;
use rand::{Rng, RngExt};

use crate::nn::{Row, Scalar};

/// Standard deviation of what is added to a row that is cast out.
const SPREAD: f64 = 2.0;

/// Normal noise of a large spread, added to a small share of the rows, drawn anew at each step.
///
/// No training row says what a flow should do beyond all of them, and eˢ then takes rows of another
/// recording, or another day, to latents of any size: one row can cost a thousand nats, and a few the
/// mean of all. A flow that has seen a few such rows keeps a broad, thin density around the data. Where
/// the data lie, that costs no more than −ln(1 − `share`) nats.
///
/// # Source
///
/// Bishop, *Training with Noise is Equivalent to Tikhonov Regularization*, 1995, for noise on all rows;
/// Huber, *Robust Estimation of a Location Parameter*, 1964, for the contaminated law that is learnt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outliers {
    /// Share of the rows.
    pub share: f64,
}

impl Outliers {
    /// None at all; and nothing is drawn.
    pub const NONE: Self = Self { share: 0.0 };

    /// Casts out some of the first `count` rows, each with the same chance.
    ///
    /// # Shapes
    ///
    /// `points` `[dim, ROWS]`.
    pub(crate) fn cast<A: Scalar, G: Rng>(self, points: &mut [Row<A>], count: usize, rng: &mut G) {
        if self.share == 0.0 {
            return;
        }
        for row in 0..count {
            if rng.random::<f64>() < self.share {
                for column in &mut *points {
                    let noise = f64::from(StandardNormal.sample(rng));
                    column[row] += A::from_f64(SPREAD * noise);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::nn::ROWS;

    #[test]
    fn a_share_of_the_rows_is_cast_out_whole() {
        // Of 24,000 rows; four standard deviations of a binomial count, and of a mean of squares.
        const COUNTS: std::ops::Range<usize> = 2_214..2_586;
        const SQUARES: std::ops::Range<f64> = 3.67..4.33;
        const COUNT: usize = 48;
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
        let (mut cast, mut squares) = (0, 0.0);
        for _ in 0..500 {
            let mut points = [[0.0f64; ROWS]; 2];
            Outliers { share: 0.1 }.cast(&mut points, COUNT, rng);
            for row in 0..ROWS {
                let [x, y] = points.map(|column| column[row]);
                assert_eq!(x == 0.0, y == 0.0);
                assert!(row < COUNT || x == 0.0, "row {row} is not there");
                cast += usize::from(x != 0.0);
                squares += x * x + y * y;
            }
        }
        assert!(COUNTS.contains(&cast), "{cast}");
        let mean = squares / (2 * cast) as f64;
        assert!(SQUARES.contains(&mean), "{mean}");
    }

    #[test]
    fn no_outliers_draw_no_numbers() {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
        let before = rng.clone();
        let mut points = [[1.0f32; ROWS]];
        Outliers::NONE.cast(&mut points, ROWS, rng);
        assert_eq!((points, rng.clone()), ([[1.0; ROWS]], before));
    }
}
