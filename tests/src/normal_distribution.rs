//! The standard normal distribution, in `f64`.

use std::f64::consts::TAU;

/// Below, the series of the middle is exact to rounding; beyond, the fraction of the tail is.
const TAIL: f64 = 3.0;

/// `Φ(x)`, the chance of a value below `x`, to 13 digits in both tails.
///
/// Source: Abramowitz and Stegun, *Handbook of Mathematical Functions*, 26.2.11 and 26.2.14.
pub fn cdf(x: f64) -> f64 {
    if x < -TAIL {
        upper_tail(-x)
    } else if x > TAIL {
        1.0 - upper_tail(x)
    } else {
        0.5 + middle(x)
    }
}

/// The chance of a value above `x`, for `x` above [`TAIL`]: `φ(x) / (x + 1 / (x + 2 / (x + …)))`.
fn upper_tail(x: f64) -> f64 {
    let fraction = (1..200).rev().fold(x, |rest, k| x + f64::from(k) / rest);
    density(x) / fraction
}

/// The chance of a value between 0 and `x`: `φ(x) (x + x³/3 + x⁵/(3·5) + …)`.
fn middle(x: f64) -> f64 {
    let mut term = x;
    let mut sum = x;
    for k in 1..100 {
        term *= x * x / f64::from(2 * k + 1);
        sum += term;
    }
    density(x) * sum
}

fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / TAU.sqrt()
}

#[cfg(test)]
mod tests {
    use super::cdf;

    /// From tables of the distribution.
    #[test]
    fn cdf_has_its_known_values() {
        let known = [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_542_9),
            (-2.0, 2.275_013_194_817_921e-2),
            (-3.0, 1.349_898_031_630_094_5e-3),
            (-4.0, 3.167_124_183_311_992e-5),
            (-5.0, 2.866_515_718_791_939e-7),
            (-8.0, 6.220_960_574_271_784e-16),
        ];
        for (x, expected) in known {
            let error = (cdf(x) / expected - 1.0).abs();
            assert!(error < 1e-13, "Φ({x}) is off by {error:e} of its value");
        }
    }

    #[test]
    fn cdf_is_continuous_where_its_two_halves_meet() {
        for x in [-3.0f64, 3.0] {
            let step = cdf(x.next_up()) - cdf(x.next_down());
            assert!(step.abs() < 1e-15, "a step of {step:e} at {x}");
        }
    }
}
