//! The numbers along an axis.

use std::ops::Range;

/// Numbers on an axis at most.
pub(super) const MOST: usize = 8;

/// Largest numbers of an axis that is written without exponents.
const PLAIN: Range<f64> = 1e-2..1e5;

/// Multiples of 1, 2 or 5 times a power of ten, as many as fit.
pub(super) fn positions(axis: &Range<f64>) -> Vec<f64> {
    let least = (axis.end - axis.start) / MOST as f64;
    let power = 10f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
    let step = step
        .into_iter()
        .find(|step| *step >= least)
        .unwrap_or(least);
    let (first, last) = ((axis.start / step).ceil(), (axis.end / step).floor());
    (0..=MOST)
        .map(|i| (first + i as f64) * step)
        .take_while(|tick| *tick <= last * step)
        .collect()
}

/// A tick's number, with as many digits as tell it from its neighbours.
pub(super) fn label(value: f64, axis: &Range<f64>) -> String {
    let largest = axis.start.abs().max(axis.end.abs());
    let step = (axis.end - axis.start) / MOST as f64;
    // Ticks are sums of steps, which miss zero by a rounding.
    let value = if value.abs() < 1e-6 * step {
        0.0
    } else {
        value
    };
    if PLAIN.contains(&largest) {
        format!("{value:.0$}", digits(1.0, step))
    } else if value == 0.0 {
        "0".into()
    } else {
        format!("{value:.0$e}", digits(largest, step))
    }
}

/// Digits after the point of a number like `largest` that show a change by `step`.
fn digits(largest: f64, step: f64) -> usize {
    (largest.log10().floor() - step.log10().floor()).max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        for (axis, expected) in [
            (-1.3..1.3, &[-1.0, -0.5, 0.0, 0.5, 1.0][..]),
            (0.0..90.0, &[0.0, 20.0, 40.0, 60.0, 80.0]),
            (3.0..3.7, &[3.0, 3.1, 3.2, 3.3, 3.4, 3.5, 3.6, 3.7]),
        ] {
            let found = positions(&axis);
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-9, "{found} for {expected}");
            }
        }
    }

    #[test]
    fn labels_tell_ticks_apart_and_no_more() {
        for (value, axis, expected) in [
            (0.5, -1.3..1.3, "0.5"),
            (-1e-17, -1.3..1.3, "0.0"),
            (20.0, 0.0..90.0, "20"),
            (0.002, 0.0..0.012, "0.002"),
            (0.0, 0.0..7e6, "0"),
            (2e-5, 0.0..6e-5, "2.0e-5"),
            (3e6, 0.0..7e6, "3.0e6"),
            (1.000_001e6, 1e6..1.000_008e6, "1.000001e6"),
        ] {
            assert_eq!(label(value, &axis), expected, "{value} of {axis:?}");
        }
    }
}
