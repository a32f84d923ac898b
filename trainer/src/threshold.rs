//! Where strange begins: thresholds of the log-probability, by normal rows.

use flowlet::Threshold;
use statrs::distribution::{Beta, ContinuousCDF};

use crate::Error;

/// How sure the bounds of a share of false alarms are.
pub const CONFIDENCE: f64 = 0.99;

/// A product that is whole but for rounding is taken as whole.
const ROUNDING: f64 = 1e-9;

/// The threshold below which a share of at most `false_alarms` of rows like these lies, on average.
///
/// Of n rows it is the k-th lowest log-probability, k = ⌊`false_alarms` · (n + 1)⌋; NaN counts as
/// lowest. For exchangeable rows without ties, the share of further rows below it has the law
/// Beta(k, n + 1 − k) over calibrations, whatever the law of the rows; its central [`CONFIDENCE`] is what
/// the threshold states. Source: David and Nagaraja, Order Statistics (2003), section 7.2, on tolerance
/// limits; Vovk et al., Algorithmic Learning in a Random World (2005), on exchangeability.
///
/// # Errors
///
/// [`Error::Option`] where `false_alarms` is not between 0 and 1; [`Error::FewToCalibrate`] where there
/// are too few rows for the lowest to be the threshold; [`Error::NoThreshold`] where the k-th lowest
/// log-probability is not finite.
///
/// # Cost
///
/// Sorts the rows.
pub fn threshold(log_probs: &[f32], false_alarms: f64) -> Result<Threshold, Error> {
    if !(false_alarms > 0.0 && false_alarms < 1.0) {
        return Err(Error::Option {
            option: "share of false alarms",
            found: false_alarms.to_string(),
            expected: "between 0 and 1",
        });
    }
    let n = log_probs.len();
    let rank = (false_alarms * (n + 1) as f64 + ROUNDING) as usize;
    if rank == 0 {
        return Err(Error::FewToCalibrate {
            rows: n,
            false_alarms,
            minimum: (1.0 / false_alarms - ROUNDING).ceil() as usize - 1,
        });
    }
    let mut sorted = log_probs.to_vec();
    for log_prob in &mut sorted {
        *log_prob = log_prob.max(f32::NEG_INFINITY);
    }
    sorted.sort_unstable_by(f32::total_cmp);
    // As a share below 1 makes the rank n at most.
    let log_prob = sorted[rank - 1];
    if !log_prob.is_finite() {
        return Err(Error::NoThreshold { rank });
    }
    let law = Beta::new(rank as f64, (n + 1 - rank) as f64).expect("both are 1 or more");
    let tail = 0.5 * (1.0 - CONFIDENCE);
    Ok(Threshold {
        log_prob,
        false_alarms: false_alarms as f32,
        at_least: law.inverse_cdf(tail) as f32,
        at_most: law.inverse_cdf(1.0 - tail) as f32,
        rows: u32::try_from(n).unwrap_or(u32::MAX),
    })
}

#[cfg(test)]
mod tests {
    use rand::seq::SliceRandom;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    fn ladder(n: usize) -> Vec<f32> {
        (0..n).map(|i| i as f32).collect()
    }

    #[test]
    fn it_is_the_order_statistic_of_its_rank() {
        let rank = |n, share| threshold(&ladder(n), share).unwrap().log_prob as usize + 1;
        assert_eq!(rank(99, 0.01), 1);
        assert_eq!(rank(199, 0.01), 2);
        assert_eq!(rank(198, 0.01), 1);
        // 0.29 · 100 is 28.999999999999996 in binary.
        assert_eq!(rank(99, 0.29), 29);
        assert_eq!(rank(1, 0.999), 1);
    }

    /// By integrals that have closed forms: Beta(1, n) below p is 1 − (1 − p)ⁿ.
    #[test]
    fn its_bounds_are_quantiles_of_the_beta_law() {
        // f32 and the search for the quantile.
        const TOLERANCE: f64 = 1e-6;
        let found = threshold(&ladder(99), 0.01).unwrap();
        let quantile = |q: f64| 1.0 - (1.0 - q).powf(1.0 / 99.0);
        for (bound, q) in [(found.at_least, 0.005), (found.at_most, 0.995)] {
            let error = (f64::from(bound) - quantile(q)).abs();
            assert!(error < TOLERANCE, "{bound} for {}", quantile(q));
        }
    }

    #[test]
    fn what_has_no_number_lies_lowest() {
        let mut log_probs = ladder(199);
        log_probs[150] = f32::NAN;
        assert_eq!(threshold(&log_probs, 0.01).unwrap().log_prob, 0.0);
        log_probs[120] = f32::NEG_INFINITY;
        let error = threshold(&log_probs, 0.01).unwrap_err().to_string();
        assert!(error.contains("2 of the rows"), "{error}");
    }

    #[test]
    fn too_few_rows_are_an_error_that_tells_how_many_are_needed() {
        for (share, minimum) in [(0.01, 99), (0.1, 9), (0.001, 999), (0.3, 3)] {
            assert!(threshold(&ladder(minimum), share).is_ok(), "{share}");
            let error = threshold(&ladder(minimum - 1), share).unwrap_err();
            assert!(error.to_string().contains(&minimum.to_string()), "{error}");
        }
        for share in [0.0, 1.0, -0.5, f64::NAN] {
            assert!(threshold(&ladder(99), share).is_err(), "{share}");
        }
    }

    /// Half of 40,000 rows calibrate, the other half tells the share: binomial noise of 0.0007 is small
    /// beside the 0.005 to 0.017 that 1,000 rows promise, but is why these are 1,000 of the half.
    #[test]
    fn false_alarms_lie_within_the_bounds_in_most_random_splits() {
        const SPLITS: usize = 200;
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(5);
        // Of no law that the threshold could know.
        let mut rows: Vec<f32> = (0..40_000)
            .map(|i| (rng.random::<f32>() - 1.0).powi(3) - (i % 7) as f32)
            .collect();
        let mut within = 0;
        for _ in 0..SPLITS {
            rows.shuffle(rng);
            let (calibrating, further) = rows.split_at(20_000);
            let found = threshold(&calibrating[..1_000], 0.01).unwrap();
            let alarms = further.iter().filter(|p| found.is_strange(**p)).count();
            let share = alarms as f32 / further.len() as f32;
            within += usize::from((found.at_least..=found.at_most).contains(&share));
        }
        assert!(within >= SPLITS * 95 / 100, "{within} of {SPLITS}");
        // Bounds so wide that they say nothing would hold always.
        let found = threshold(&rows[..1_000], 0.01).unwrap();
        assert!(found.at_least > 0.003 && found.at_most < 0.021, "{found:?}");
    }
}
