//! Determinants of numeric Jacobians.

/// Half the distance between the two points of a difference: its square and `f64`'s rounding over it
/// are both far below what is asked of the result.
const H: f64 = 1e-5;

/// `ln |det dy/dx|` of a map by central differences.
pub fn numeric_log_det(map: impl Fn(&[f64]) -> Vec<f64>, x: &[f64]) -> f64 {
    let columns = (0..x.len()).map(|j| {
        let shifted = |by: f64| {
            let mut x = x.to_vec();
            x[j] += by;
            map(&x)
        };
        let (above, below) = (shifted(H), shifted(-H));
        let difference = above.iter().zip(below).map(|(a, b)| (a - b) / (2.0 * H));
        difference.collect()
    });
    log_abs_det(columns.collect())
}

/// `ln |det m|` by elimination with pivots.
pub fn log_abs_det(mut m: Vec<Vec<f64>>) -> f64 {
    let mut log_det = 0.0;
    for k in 0..m.len() {
        let pivot = (k..m.len())
            .max_by(|&i, &j| m[i][k].abs().total_cmp(&m[j][k].abs()))
            .expect("there is a row left");
        m.swap(k, pivot);
        log_det += m[k][k].abs().ln();
        let (done, rest) = m.split_at_mut(k + 1);
        for row in rest {
            let factor = row[k] / done[k][k];
            for (a, b) in row.iter_mut().zip(&done[k]).skip(k) {
                *a -= factor * b;
            }
        }
    }
    log_det
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_det_of_a_linear_map_is_that_of_its_matrix() {
        // The determinant is −6, and the first pivot is not the first row's.
        let map = |x: &[f64]| vec![3.0 * x[1], 2.0 * x[0] + 5.0 * x[1]];
        let log_det = numeric_log_det(map, &[0.3, -1.0]);
        assert!((log_det - 6.0f64.ln()).abs() < 1e-9, "{log_det}");
    }
}
