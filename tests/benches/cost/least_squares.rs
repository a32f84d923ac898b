//! Least squares by the normal equations.

/// The `x` with the least `Σ (a · x / b − 1)²` over all rows `(a, b)`.
///
/// # Panics
///
/// If nothing in the rows tells one `x_i` from the others.
pub(crate) fn fit<const N: usize>(rows: &[([f64; N], f64)]) -> [f64; N] {
    let mut matrix = [[0.0; N]; N];
    let mut right = [0.0; N];
    for (a, b) in rows {
        for i in 0..N {
            right[i] += a[i] / b;
            for j in 0..N {
                matrix[i][j] += a[i] * a[j] / (b * b);
            }
        }
    }
    solve(matrix, right)
}

/// Gauss's elimination; a positive definite matrix needs no other order of rows.
fn solve<const N: usize>(mut matrix: [[f64; N]; N], mut right: [f64; N]) -> [f64; N] {
    /// What is left of a diagonal by rounding errors alone.
    const NOTHING: f64 = 1e-10;
    let diagonal: [f64; N] = std::array::from_fn(|k| matrix[k][k]);
    for k in 0..N {
        assert!(
            matrix[k][k] > NOTHING * diagonal[k],
            "unknown {k} is not told from the others"
        );
        let (pivot, of_pivot) = (matrix[k], right[k]);
        for (row, right) in matrix.iter_mut().zip(&mut right).skip(k + 1) {
            let factor = row[k] / pivot[k];
            row.iter_mut()
                .zip(pivot)
                .for_each(|(m, p)| *m -= factor * p);
            *right -= factor * of_pivot;
        }
    }
    let mut x = [0.0; N];
    for k in (0..N).rev() {
        let known: f64 = (k + 1..N).map(|j| matrix[k][j] * x[j]).sum();
        x[k] = (right[k] - known) / matrix[k][k];
    }
    x
}
