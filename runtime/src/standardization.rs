//! The transform between the data's units and the flow's.

use crate::kernel::float::{one_nan, value};
use crate::tile::Lanes;

/// `u = (x − mean) / std`, column by column.
///
/// The columns are a point's or a context's. Source of the change of variables for a point:
/// `ln p(x) = ln p(u) − Σ ln std`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standardization<'a> {
    pub(crate) mean: &'a [u32],
    pub(crate) std: &'a [u32],
}

impl Standardization<'_> {
    /// Takes data to standardized space.
    pub(crate) fn forward(&self, x: &mut [f32]) {
        for (x, mean, std) in self.columns(x) {
            *x = forward(*x, mean, std);
        }
    }

    /// [`forward`](Self::forward) for the points of a tile.
    pub(crate) fn forward_tile(&self, x: &mut [Lanes]) {
        for (row, mean, std) in self.columns(x) {
            row.iter_mut().for_each(|x| *x = forward(*x, mean, std));
        }
    }

    /// Takes data to standardized space, number by number as they are read.
    pub(crate) fn forward_each(&self, x: &[f32]) -> impl Iterator<Item = f32> {
        x.iter()
            .zip(self.mean)
            .zip(self.std)
            .map(|((x, mean), std)| forward(*x, value(mean), value(std)))
    }

    /// Takes standardized space to data.
    pub(crate) fn inverse(&self, u: &mut [f32]) {
        for (u, mean, std) in self.columns(u) {
            *u = inverse(*u, mean, std);
        }
    }

    /// [`inverse`](Self::inverse) for the points of a tile.
    pub(crate) fn inverse_tile(&self, u: &mut [Lanes]) {
        for (row, mean, std) in self.columns(u) {
            row.iter_mut().for_each(|u| *u = inverse(*u, mean, std));
        }
    }

    /// `−Σ ln std`, the log-determinant of `forward`.
    pub(crate) fn log_det(&self) -> f32 {
        self.std
            .iter()
            .fold(0.0, |sum, std| sum - libm::logf(value(std)))
    }

    fn columns<'x, T>(&self, x: &'x mut [T]) -> impl Iterator<Item = (&'x mut T, f32, f32)> {
        x.iter_mut()
            .zip(self.mean)
            .zip(self.std)
            .map(|((x, mean), std)| (x, value(mean), value(std)))
    }
}

fn forward(x: f32, mean: f32, std: f32) -> f32 {
    (x - mean) / std
}

fn inverse(u: f32, mean: f32, std: f32) -> f32 {
    one_nan(mean + std * u)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEAN: [u32; 2] = [1.0f32.to_bits().to_le(), (-2.0f32).to_bits().to_le()];
    const STD: [u32; 2] = [0.5f32.to_bits().to_le(), 4.0f32.to_bits().to_le()];
    const TRANSFORM: Standardization<'static> = Standardization {
        mean: &MEAN,
        std: &STD,
    };

    #[test]
    fn a_standard_deviation_off_the_mean_is_1() {
        let mut x = [1.5, -6.0];
        TRANSFORM.forward(&mut x);
        assert_eq!(x, [1.0, -1.0]);
        TRANSFORM.inverse(&mut x);
        assert_eq!(x, [1.5, -6.0]);
        assert!(TRANSFORM.forward_each(&x).eq([1.0, -1.0]));
    }

    #[test]
    fn log_det_is_minus_the_sum_of_ln_std() {
        let expected = -(0.5f32 * 4.0).ln();
        assert!((TRANSFORM.log_det() - expected).abs() <= f32::EPSILON);
    }
}
