//! The functions between the layers of a net.

use crate::format::Activation;

impl Activation {
    /// Applies the function to each value.
    pub(crate) fn apply(self, values: &mut [f32]) {
        match self {
            Self::Tanh => values.iter_mut().for_each(|a| *a = libm::tanhf(*a)),
            Self::Elu => values.iter_mut().for_each(|a| *a = elu(*a)),
        }
    }
}

fn elu(a: f32) -> f32 {
    if a > 0.0 { a } else { libm::expm1f(a) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(activation: Activation, mut values: [f32; 5]) -> [f32; 5] {
        activation.apply(&mut values);
        values
    }

    #[test]
    fn elu_is_the_identity_above_0_and_bends_to_minus_1_below() {
        let values = applied(Activation::Elu, [2.5, 0.0, -1e-6, -1.0, -200.0]);
        // The third is exact to the last digit only without cancellation.
        assert_eq!(values, [2.5, 0.0, -9.999_995e-7, -0.632_120_55, -1.0]);
    }

    #[test]
    fn tanh_is_odd_and_saturates() {
        let [a, b, zero, high, low] = applied(Activation::Tanh, [0.5, -0.5, 0.0, 100.0, -100.0]);
        assert!((a - 0.462_117_16).abs() <= f32::EPSILON);
        assert_eq!([b, zero, high, low], [-a, 0.0, 1.0, -1.0]);
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        for activation in [Activation::Tanh, Activation::Elu] {
            assert!(
                applied(activation, [f32::NAN; 5])
                    .iter()
                    .all(|a| a.is_nan())
            );
        }
    }
}
