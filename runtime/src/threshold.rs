//! Where strange begins.

use crate::kernel::float::value;

/// A log-probability below which a point is called strange, chosen so that few normal points are.
///
/// It is the `k`-th lowest log-probability of `rows` normal rows that the model was not trained on, with
/// `k = ⌊false_alarms · (rows + 1)⌋`. A further row from where these came from is then below it with a
/// probability that is itself random, of law `Beta(k, rows + 1 − k)` (order statistics of exchangeable
/// rows without ties): its mean is at most `false_alarms`, and it lies from `at_least` to `at_most` in 99
/// of 100 calibrations. Rows from elsewhere, another person's say, keep no such promise.
///
/// ```
/// use flowlet::{Model, include_model};
///
/// let model = Model::from_bytes(include_model!("moons.flow"))?;
/// // Nobody has calibrated this one: see `flowlet calibrate`.
/// assert_eq!(model.threshold(), None);
/// # Ok::<(), flowlet::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Threshold {
    /// In nats, in the data's units.
    pub log_prob: f32,
    /// The share of normal points below, as it was asked for.
    pub false_alarms: f32,
    /// The lower end of where that share lies with 99 % confidence.
    pub at_least: f32,
    /// The upper end.
    pub at_most: f32,
    /// Rows that it was chosen by.
    pub rows: u32,
}

impl Threshold {
    /// The threshold as it lies in a file; none where there are no such words.
    pub(crate) fn from_words(words: &[u32]) -> Option<Self> {
        let [log_prob, false_alarms, at_least, at_most, rows] = words.first_chunk()?;
        Some(Self {
            log_prob: value(log_prob),
            false_alarms: value(false_alarms),
            at_least: value(at_least),
            at_most: value(at_most),
            rows: u32::from_le(*rows),
        })
    }

    /// Whether a point of this log-probability is strange: it is below, or not a number.
    pub fn is_strange(&self, log_prob: f32) -> bool {
        log_prob.is_nan() || log_prob < self.log_prob
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_or_no_number_is_strange() {
        let words = [-3.5f32, 0.01, 0.005, 0.02].map(|number| number.to_bits().to_le());
        let [a, b, c, d] = words;
        let threshold = Threshold::from_words(&[a, b, c, d, 900u32.to_le()]);
        let threshold = threshold.expect("five words are a threshold");
        assert_eq!((threshold.log_prob, threshold.rows), (-3.5, 900));
        assert_eq!((threshold.at_least, threshold.at_most), (0.005, 0.02));
        for (log_prob, strange) in [(-3.5, false), (0.0, false), (-3.51, true), (f32::NAN, true)] {
            assert_eq!(threshold.is_strange(log_prob), strange, "{log_prob}");
        }
        assert_eq!(Threshold::from_words(&[]), None);
    }
}
