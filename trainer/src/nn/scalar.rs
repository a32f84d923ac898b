//! The numbers nets are made of.

use ndarray::NdFloat;

/// `f32` to train with, `f64` to hold gradients against finite differences.
pub trait Scalar: NdFloat {
    /// The nearest value.
    fn from_f64(value: f64) -> Self;

    /// The same value.
    fn to_f64(self) -> f64;

    /// exp(`self`), within [`QUICK_EXP_ERROR`] relative; saturates where `f32` would overflow.
    fn quick_exp(self) -> Self;
}

/// Largest relative error of [`Scalar::quick_exp`] in `f32`: two units in the last place.
pub const QUICK_EXP_ERROR: f32 = 2.0 * f32::EPSILON;

impl Scalar for f32 {
    fn from_f64(value: f64) -> Self {
        value as f32
    }

    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    /// exp(x) = 2ⁿ exp(r) with n = round(x / ln 2) and |r| ≤ ln 2 / 2.
    ///
    /// Without branches and calls, so that loops over it become vector instructions.
    ///
    /// # Source
    ///
    /// The polynomial of `expf` in Moshier's Cephes library.
    #[inline(always)]
    fn quick_exp(self) -> Self {
        // Adding 1.5 · 2²³ rounds to an integer and leaves it in the low bits.
        const ROUND: f32 = 12_582_912.0;
        const LN_2_HIGH: f32 = 0.693_359_4;
        const LN_2_LOW: f32 = -2.121_944_4e-4;
        let x = self.clamp(-87.0, 88.0);
        let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
        let n = shifted - ROUND;
        let r = n.mul_add(-LN_2_LOW, n.mul_add(-LN_2_HIGH, x));
        let mut p = 1.987_569_1e-4f32;
        for coefficient in [
            1.398_199_9e-3,
            8.333_452e-3,
            4.166_579_6e-2,
            1.666_666_5e-1,
            0.5,
        ] {
            p = p.mul_add(r, coefficient);
        }
        let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0f32.to_bits()));
        ((p * r).mul_add(r, r) + 1.0) * power
    }
}

impl Scalar for f64 {
    fn from_f64(value: f64) -> Self {
        value
    }

    fn to_f64(self) -> f64 {
        self
    }

    fn quick_exp(self) -> Self {
        self.exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_exp_is_exp() {
        for i in -870_000..880_000 {
            let x = i as f32 * 1e-4;
            let exact = f64::from(x).exp();
            let error = (f64::from(x.quick_exp()) - exact).abs() / exact;
            assert!(error <= f64::from(QUICK_EXP_ERROR), "at {x}: {error:e}");
        }
    }

    #[test]
    fn quick_exp_keeps_nan_and_saturates() {
        assert!(f32::NAN.quick_exp().is_nan());
        assert!(f32::INFINITY.quick_exp() > 1e38);
        assert!(f32::NEG_INFINITY.quick_exp() < 1e-37);
    }
}
