//! How near is near enough.

use std::fmt::Display;

/// A bound `absolute + relative · |expected|` on the distance from an expected value.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// What is allowed however small the value is.
    pub absolute: f64,
    /// What is allowed of the value.
    pub relative: f64,
}

impl Tolerance {
    /// The same bound for both, so the larger of the two counts.
    pub const fn both(bound: f64) -> Self {
        Self {
            absolute: bound,
            relative: bound,
        }
    }

    /// Panics where a number is farther away than this allows, or NaN.
    #[track_caller]
    pub fn assert_near(self, what: impl Display, found: &[f32], expected: &[f64]) {
        assert_eq!(found.len(), expected.len(), "{what}: number of values");
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            let distance = (f64::from(*found) - expected).abs();
            let bound = self.absolute + self.relative * expected.abs();
            assert!(
                distance <= bound,
                "{what}, value {i}: {found} is {distance:e} from {expected}, more than {bound:e}"
            );
        }
    }
}
