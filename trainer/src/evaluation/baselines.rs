//! What simple densities reach on the points that a flow is held against.

use ndarray::{Array2, Axis};

use super::Reference;
use crate::baseline::GaussianMixture;
use crate::data::evenly;
use crate::metrics::RowSpread;

/// Rows that are enough to fit a few hundred numbers to.
const MOST_ROWS: usize = 100_000;

/// `−ln p(x)` of simple densities over the points of a [`Reference`], in standardized nats.
///
/// They do not read the context.
#[derive(Clone, Debug, PartialEq)]
pub struct Baselines {
    /// Of a single Gaussian with a full covariance matrix.
    pub gaussian: RowSpread,
    /// Of a mixture of such.
    pub mixture: RowSpread,
    /// How many components that mixture has, by rows kept out.
    pub component_count: usize,
}

impl Reference {
    /// Fits a single Gaussian and [a mixture](GaussianMixture::select) to training rows in the data's
    /// units, 100,000 of them from all over the table where there are more, and holds them against the
    /// points.
    ///
    /// # Panics
    ///
    /// If there are no training rows, or one is not finite.
    pub fn baselines(&self, training: &Array2<f32>, seed: u64) -> Baselines {
        let rows = evenly(training.nrows(), MOST_ROWS);
        let training = self.space.standardize_f64(&training.select(Axis(0), &rows));
        let points = self.space.standardize_f64(&self.data.points);
        let spread = |mixture: &GaussianMixture| {
            let log_probs = mixture.log_probs(points.view());
            RowSpread::of(&log_probs.iter().map(|p| -p).collect::<Vec<_>>())
        };
        let mixture = GaussianMixture::select(training.view(), seed);
        Baselines {
            gaussian: spread(&GaussianMixture::fit(training.view(), 1, seed)),
            mixture: spread(&mixture),
            component_count: mixture.component_count(),
        }
    }
}
