//! Columns freed of their correlation.

use ndarray::{Array2, ArrayView2, Axis};

use crate::nn::Scalar;

/// Sums over `rows` of the products of each two columns, below the diagonal.
///
/// # Shapes
///
/// `points` `[n, dim]`, the result `[dim, dim]`.
fn products(points: ArrayView2<f32>, rows: &[usize]) -> Array2<f64> {
    let dim = points.ncols();
    let mut sums = Array2::<f64>::zeros((dim, dim));
    let mut row = vec![0.0; dim];
    for &index in rows {
        let numbers = points.row(index);
        row.iter_mut()
            .zip(numbers)
            .for_each(|(x, number)| *x = f64::from(*number));
        for (i, a) in row.iter().enumerate() {
            for (j, b) in row[..i].iter().enumerate() {
                sums[[i, j]] += a * b;
            }
        }
    }
    sums
}

/// Correlations of `count` rows of columns with mean 0 and variance 1, from the sums of their
/// [`products`], drawn towards none: `(1 − ridge) R + ridge I`.
fn correlation(products: &Array2<f64>, count: usize, ridge: f64) -> Array2<f64> {
    let share = (1.0 - ridge) / count as f64;
    Array2::from_shape_fn(products.dim(), |(i, j)| match i == j {
        true => 1.0,
        false => share * products[[i.max(j), i.min(j)]],
    })
}

/// The lower triangular `F` with `F Fᵀ` = `matrix`, if that is positive definite.
///
/// # Source
///
/// Golub and Van Loan, *Matrix Computations*, 2013, algorithm 4.2.1.
pub(crate) fn cholesky(matrix: &Array2<f64>) -> Option<Array2<f64>> {
    let mut factor = Array2::<f64>::zeros(matrix.dim());
    for i in 0..matrix.nrows() {
        for j in 0..=i {
            let products = (0..j).map(|k| factor[[i, k]] * factor[[j, k]]);
            let rest: f64 = matrix[[i, j]] - products.sum::<f64>();
            factor[[i, j]] = match i == j {
                true if rest > 0.0 => rest.sqrt(),
                true => return None,
                false => rest / factor[[j, j]],
            };
        }
    }
    Some(factor)
}

/// Shares of the correlation that may be given up, from next to none to all of it.
///
/// The least keeps the factor of columns that tell the same within what `f32` resolves.
const RIDGES: [f64; 8] = [1e-6, 1e-4, 1e-3, 1e-2, 0.03, 0.1, 0.3, 1.0];

/// The Cholesky factor of the correlation over the `training` rows, drawn towards none as far as
/// makes the normal distribution fit the `validation` rows best; none where columns do best as if they
/// were not correlated.
///
/// # Shapes
///
/// `points` `[n, dim]`, standardized; the factor `[dim, dim]`.
pub(crate) fn best_factor(
    points: ArrayView2<f32>,
    training: &[usize],
    validation: &[usize],
) -> Option<Array2<f32>> {
    let held_out = points.select(Axis(0), validation);
    let products = products(points, training);
    let candidates = RIDGES.iter().filter_map(|&ridge| {
        let correlation = correlation(&products, training.len(), ridge);
        let factor = cholesky(&correlation)?.mapv(|f| f as f32);
        let mut white = held_out.clone();
        whiten(&mut white, &factor);
        let squares: f64 = white.iter().map(|u| f64::from(*u).powi(2)).sum();
        let loss = 0.5 * squares / validation.len() as f64 + log_diagonal(&factor);
        Some((loss, ridge, factor))
    });
    let (_, ridge, factor) = candidates.min_by(|a, b| a.0.total_cmp(&b.0))?;
    (ridge < 1.0).then_some(factor)
}

/// `F⁻¹ v` for each row, in place, by substitution.
pub(crate) fn whiten<A: Scalar>(points: &mut Array2<A>, factor: &Array2<f32>) {
    let factor = factor.mapv(f64::from);
    for mut row in points.rows_mut() {
        let mut u = row.mapv(Scalar::to_f64);
        for i in 0..u.len() {
            let products = (0..i).map(|j| factor[[i, j]] * u[j]);
            u[i] = (u[i] - products.sum::<f64>()) / factor[[i, i]];
        }
        row.assign(&u.mapv(A::from_f64));
    }
}

/// `Σ ln F_ii`: what a log-probability loses by going back from white to standardized space.
pub(crate) fn log_diagonal(factor: &Array2<f32>) -> f64 {
    factor.diag().iter().map(|f| f64::from(*f).ln()).sum()
}

#[cfg(test)]
mod tests {
    use ndarray::{array, concatenate};

    use super::*;

    #[test]
    fn correlations_are_means_of_products_with_ones_between() {
        let points = array![[1.0, 2.0], [9.0, 9.0], [-1.0, 0.5]];
        // (2 − 0.5) / 2, half of it left.
        let found = correlation(&products(points.view(), &[0, 2]), 2, 0.5);
        assert_eq!(found, array![[1.0, 0.375], [0.375, 1.0]]);
    }

    /// All these numbers are exact.
    #[test]
    fn a_factor_times_its_transpose_is_the_matrix() {
        let factor = array![[2.0, 0.0, 0.0], [-1.0, 0.5, 0.0], [3.0, 4.0, 1.0]];
        assert_eq!(cholesky(&factor.dot(&factor.t())), Some(factor));
        let singular = array![[1.0, 1.0], [1.0, 1.0]];
        assert_eq!(cholesky(&singular), None);
    }

    /// Pairs of ±1, `equal` of 16 with equal signs.
    fn pairs(equal: usize) -> Array2<f32> {
        Array2::from_shape_fn((16, 2), |(row, column)| {
            let sign = if row % 2 == 0 { 1.0 } else { -1.0 };
            if column == 1 && row >= equal {
                -sign
            } else {
                sign
            }
        })
    }

    #[test]
    fn correlation_is_drawn_towards_none_as_far_as_held_out_rows_ask() {
        // The least ridges fit equally well within f32's rounding.
        const TOLERANCE: f32 = 2e-4;
        // The first 16 rows are trained on, the other 16 validated on.
        let factor = |training: usize, validation: usize| {
            let points = concatenate![Axis(0), pairs(training), pairs(validation)];
            let (first, last): (Vec<_>, Vec<_>) = (0..32).partition(|row| *row < 16);
            best_factor(points.view(), &first, &last)
        };
        // Correlations of 0.75 and 0.75, so that there is nothing to give up but the least ridge.
        let same = factor(14, 14).unwrap();
        assert!((same[[1, 0]] - 0.75).abs() < TOLERANCE, "{same}");
        // 0.75 and 0.5: a third would be right, 0.3 is the closest.
        let less = factor(14, 12).unwrap();
        assert!((less[[1, 0]] - 0.7 * 0.75).abs() < TOLERANCE, "{less}");
        // Of the other sign.
        assert_eq!(factor(14, 2), None);
    }

    #[test]
    fn a_column_that_says_what_another_does_can_be_whitened() {
        let factor = best_factor(pairs(16).view(), &[0, 1, 2, 3], &[4, 5]).unwrap();
        assert!(factor[[1, 1]] > 0.0, "{factor}");
    }

    #[test]
    fn whitening_undoes_the_factor() {
        let factor = array![[2.0f32, 0.0, 0.0], [-1.0, 0.5, 0.0], [3.0, 4.0, 1.0]];
        let mut points = array![[2.0, 0.0, 5.0], [-4.0, 3.0, 1.0]];
        let expected = array![[1.0, 2.0, -6.0], [-2.0, 2.0, -1.0]];
        whiten(&mut points, &factor);
        assert_eq!(points, expected);
        assert_eq!(log_diagonal(&factor), 0.0);
    }
}
