//! The transform between the data's units and the flow's.

use crate::kernel::float::{one_nan, value};

/// `u = F⁻¹ ((x − mean) / std)`, with `F` lower triangular, or 1 where there is none.
///
/// The columns are a point's or a context's; a context has no `F`. With the Cholesky factor of the
/// columns' correlation as `F`, `u` is white: of variance 1 and not correlated. One triangle serves both
/// directions, in place. Source of the change of variables for a point:
/// `ln p(x) = ln p(u) − Σ ln std − Σ ln F_ii`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standardization<'a> {
    pub(crate) mean: &'a [u32],
    pub(crate) std: &'a [u32],
    /// The triangle, row by row; empty where there is none.
    pub(crate) factor: &'a [u32],
}

impl Standardization<'_> {
    /// Takes points side by side, one row a dimension, to the flow's space.
    pub(crate) fn forward<const N: usize>(&self, x: &mut [[f32; N]]) {
        for (row, mean, std) in self.columns(x) {
            row.iter_mut().for_each(|x| *x = forward(*x, mean, std));
        }
        self.unmix(x);
    }

    /// Takes data to standardized space, number by number as they are read, without `F`.
    pub(crate) fn forward_each(&self, x: &[f32]) -> impl Iterator<Item = f32> {
        x.iter()
            .zip(self.mean)
            .zip(self.std)
            .map(|((x, mean), std)| forward(*x, value(mean), value(std)))
    }

    /// Takes points side by side, one row a dimension, to data.
    ///
    /// Row `i` of `F u` needs those before it, so the last is the first.
    pub(crate) fn inverse<const N: usize>(&self, mut u: &mut [[f32; N]]) {
        let mut factor = self.factor.iter().rev();
        while let Some((row, before)) = u.split_last_mut() {
            let i = before.len();
            let (Some(mean), Some(std)) = (self.mean.get(i), self.std.get(i)) else {
                return;
            };
            if let Some(diagonal) = factor.next() {
                row.iter_mut().for_each(|u| *u *= value(diagonal));
                for (other, weight) in before.iter().rev().zip(&mut factor) {
                    let weight = value(weight);
                    row.iter_mut()
                        .zip(other)
                        .for_each(|(u, o)| *u += weight * o);
                }
            }
            let (mean, std) = (value(mean), value(std));
            row.iter_mut().for_each(|u| *u = inverse(*u, mean, std));
            u = before;
        }
    }

    /// `−Σ ln std − Σ ln F_ii`, the log-determinant of `forward`.
    pub(crate) fn log_det(&self) -> f32 {
        let diagonal = self.diagonal();
        self.std
            .iter()
            .chain(diagonal)
            .fold(0.0, |sum, scale| sum - libm::logf(value(scale)))
    }

    /// `F_ii`, from the first row on.
    fn diagonal(&self) -> impl Iterator<Item = &u32> {
        (0..).map_while(|i| self.factor.get(i * (i + 3) / 2))
    }

    /// `F⁻¹ u` by substitution: row `i` needs those before it, which are done.
    fn unmix<const N: usize>(&self, u: &mut [[f32; N]]) {
        let mut factor = self.factor.iter();
        for i in 0..u.len() {
            let Some((done, [row, ..])) = u.split_at_mut_checked(i) else {
                return;
            };
            for (other, weight) in done.iter().zip(&mut factor) {
                let weight = value(weight);
                row.iter_mut()
                    .zip(other)
                    .for_each(|(u, o)| *u -= weight * o);
            }
            let Some(diagonal) = factor.next() else {
                return;
            };
            row.iter_mut().for_each(|u| *u /= value(diagonal));
        }
    }

    fn columns<'x, T>(&self, x: &'x mut [T]) -> impl Iterator<Item = (&'x mut T, f32, f32)> {
        x.iter_mut()
            .zip(self.mean)
            .zip(self.std)
            .map(|((x, mean), std)| (x, value(mean), value(std)))
    }
}

/// A point as the one of a row of points.
pub(crate) fn alone(x: &mut [f32]) -> &mut [[f32; 1]] {
    x.as_chunks_mut().0
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

    const fn words<const N: usize>(numbers: [f32; N]) -> [u32; N] {
        let mut words = [0; N];
        let mut i = 0;
        while i < N {
            words[i] = numbers[i].to_bits().to_le();
            i += 1;
        }
        words
    }

    const MEAN: [u32; 3] = words([1.0, -2.0, 0.0]);
    const STD: [u32; 3] = words([0.5, 4.0, 1.0]);
    const FACTOR: [u32; 6] = words([0.5, -1.0, 2.0, 3.0, 0.25, 8.0]);
    const COLUMNS: Standardization<'static> = Standardization {
        mean: &MEAN,
        std: &STD,
        factor: &[],
    };
    const WHITENING: Standardization<'static> = Standardization {
        factor: &FACTOR,
        ..COLUMNS
    };

    #[test]
    fn a_standard_deviation_off_the_mean_is_1() {
        let mut x = [1.5, -6.0, 3.0];
        COLUMNS.forward(alone(&mut x));
        assert_eq!(x, [1.0, -1.0, 3.0]);
        COLUMNS.inverse(alone(&mut x));
        assert_eq!(x, [1.5, -6.0, 3.0]);
        assert!(COLUMNS.forward_each(&x).eq([1.0, -1.0, 3.0]));
    }

    /// All these numbers are exact in `f32`.
    #[test]
    fn columns_are_mixed_by_the_triangle() {
        let mut u = [2.0, 4.0, -1.0];
        WHITENING.inverse(alone(&mut u));
        // F u = (1, 6, −1).
        assert_eq!(u, [1.5, 22.0, -1.0]);
        WHITENING.forward(alone(&mut u));
        assert_eq!(u, [2.0, 4.0, -1.0]);
    }

    #[test]
    fn points_side_by_side_have_the_bits_of_each_alone() {
        let points = [[0.1f32, -1.7, 2.3], [1e-3, 0.7, -0.9]];
        let mut rows = [[0.0; 2]; 3];
        for (i, row) in rows.iter_mut().enumerate() {
            *row = [points[0][i], points[1][i]];
        }
        WHITENING.forward(&mut rows);
        let forward = rows;
        WHITENING.inverse(&mut rows);
        for (lane, mut x) in points.into_iter().enumerate() {
            WHITENING.forward(alone(&mut x));
            assert_eq!(x, forward.map(|row| row[lane]));
            WHITENING.inverse(alone(&mut x));
            assert_eq!(x, rows.map(|row| row[lane]));
        }
    }

    /// In another order these sums round to other numbers.
    #[test]
    fn sums_run_in_one_order() {
        const BIG: f32 = 16_777_216.0;
        let last_row_of =
            |row: [f32; 3], mut u: [f32; 3], direction: fn(&Standardization, &mut [f32])| {
                let [a, b, c] = row;
                let factor = words([1.0, 0.0, 1.0, a, b, c]);
                let transform = Standardization {
                    mean: &words([0.0; 3]),
                    std: &words([1.0; 3]),
                    factor: &factor,
                };
                direction(&transform, &mut u);
                u[2]
            };
        let inverse = last_row_of([-BIG, BIG, 1.0], [1.0; 3], |t, u| t.inverse(alone(u)));
        assert_eq!(inverse, 0.0);
        let forward = last_row_of([-BIG, BIG, 1.0], [1.0; 3], |t, u| t.forward(alone(u)));
        assert_eq!(forward, 0.0);
    }

    #[test]
    fn log_det_is_minus_the_sum_of_ln_std_and_ln_of_the_diagonal() {
        let expected = -(0.5f32 * 4.0).ln();
        assert!((COLUMNS.log_det() - expected).abs() <= f32::EPSILON);
        // The diagonal's product is 8.
        let expected = -(0.5f32 * 4.0 * 8.0).ln();
        assert!((WHITENING.log_det() - expected).abs() <= 4.0 * f32::EPSILON);
    }
}
