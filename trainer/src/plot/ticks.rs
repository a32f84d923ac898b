//! The numbers along an axis.

use std::ops::Range;

/// Numbers on an axis at most.
pub(super) const MOST: usize = 8;

/// Largest numbers of an axis that is written without exponents.
const PLAIN: Range<f64> = 1e-2..1e5;

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

/// Characters that the longest number of an axis takes, in about.
pub(super) fn longest(axis: &Range<f64>) -> usize {
    let length = |value| label(value, axis).chars().count();
    length(axis.start).max(length(axis.end))
}

#[cfg(test)]
mod tests {
    use super::*;

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
