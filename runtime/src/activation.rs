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
