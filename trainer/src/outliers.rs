//! Rows cast far out while a flow is trained, so that far rows do not surprise it.

use ndarray::ArrayViewMut1;
use rand::{Rng, RngExt};

use flowlet::StandardNormal;

use crate::nn::Scalar;

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

    /// Casts out some of the `rows`, each with the same chance.
    pub(crate) fn cast<'r, A: Scalar, G: Rng>(
        self,
        rows: impl Iterator<Item = ArrayViewMut1<'r, A>>,
        rng: &mut G,
    ) {
        if self.share == 0.0 {
            return;
        }
        for mut row in rows {
            if rng.random::<f64>() < self.share {
                row.mapv_inplace(|x| {
                    let noise = f64::from(StandardNormal.sample(rng));
                    x + A::from_f64(SPREAD * noise)
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    #[test]
    fn a_share_of_the_rows_is_cast_out_whole() {
        // Four standard deviations of a binomial count, and of a mean of squares.
        const COUNTS: std::ops::Range<usize> = 1830..2170;
        const SQUARES: std::ops::Range<f64> = 3.7..4.3;
        let mut rows = Array2::<f64>::zeros((20_000, 2));
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
        Outliers { share: 0.1 }.cast(rows.rows_mut().into_iter(), rng);
        let cast = rows.rows().into_iter().filter(|row| row[0] != 0.0);
        let cast: Vec<_> = cast.collect();
        assert!(COUNTS.contains(&cast.len()), "{}", cast.len());
        assert!(cast.iter().all(|row| row[1] != 0.0));
        let squares: f64 = cast.iter().map(|row| row.dot(row)).sum();
        let mean = squares / (2 * cast.len()) as f64;
        assert!(SQUARES.contains(&mean), "{mean}");
    }

    #[test]
    fn no_outliers_draw_no_numbers() {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(1);
        let before = rng.clone();
        let mut rows = Array2::<f32>::ones((5, 2));
        Outliers::NONE.cast(rows.rows_mut().into_iter(), rng);
        assert_eq!((rows, rng.clone()), (Array2::ones((5, 2)), before));
    }
}
