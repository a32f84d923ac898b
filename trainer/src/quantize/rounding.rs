//! Rounding weights so that their errors make up for each other.

use ndarray::{Array1, Array2, ArrayView1, s};

/// Share of the mean second moment that pulls each weight to its own value. It keeps weights sane in
/// directions that calibration rows do not tell.
const RIDGE: f64 = 1e-5;

/// Looks at all weights once more, at most; a few are enough.
const MOST_SWEEPS: usize = 20;

/// How much errors of an output's weights and bias cost: `eᵀ G e` is the mean square of the output's
/// error over the calibration rows, plus a little for each weight.
///
/// Index 0 is the bias, whose input is 1.
pub(super) struct Cost {
    /// `[1 + inputs, 1 + inputs]`
    moments: Array2<f64>,
    /// Upper triangular, with `moments = rootᵀ · root`.
    root: Array2<f64>,
    /// `1` and `x`, `[rows, 1 + inputs]`
    inputs: Array2<f64>,
}

/// The rounded weights of an output.
pub(super) struct Rounded {
    pub(super) weight: Vec<i16>,
    pub(super) bias: i32,
    /// `eᵀ G e`
    pub(super) cost: f64,
}

/// The numbers that an output's weights and bias may become.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub(super) weight_unit: f64,
    pub(super) bias_unit: f64,
    /// Largest whole number of a weight.
    pub(super) weight_limit: f64,
    /// Largest whole number of a bias.
    pub(super) bias_limit: f64,
}

impl Grid {
    fn unit(&self, i: usize) -> f64 {
        if i == 0 {
            self.bias_unit
        } else {
            self.weight_unit
        }
    }

    fn nearest(&self, i: usize, value: f64) -> f64 {
        let limit = if i == 0 {
            self.bias_limit
        } else {
            self.weight_limit
        };
        (value / self.unit(i)).round().clamp(-limit, limit)
    }
}

impl Cost {
    /// The cost over rows of inputs `x` `[rows, inputs]`.
    pub(super) fn new(x: &Array2<f64>) -> Self {
        let (rows, count) = x.dim();
        let mut inputs = Array2::ones((rows, count + 1));
        inputs.slice_mut(s![.., 1..]).assign(x);
        let mut moments = inputs.t().dot(&inputs) / rows.max(1) as f64;
        let mean = moments.diag().iter().skip(1).sum::<f64>() / count.max(1) as f64;
        for (i, square) in moments.diag_mut().iter_mut().enumerate() {
            // The floor lets inputs that are always 0 be inverted too.
            let ridge = if i == 0 {
                0.0
            } else {
                (RIDGE * mean).max(f64::MIN_POSITIVE.sqrt())
            };
            *square += ridge;
        }
        Self {
            root: cholesky(&moments),
            moments,
            inputs,
        }
    }

    /// The weights, bias first, that bring the output closest to `target` `[rows]`, while each stays
    /// near what it is.
    pub(super) fn refit(&self, values: ArrayView1<f64>, target: ArrayView1<f64>) -> Array1<f64> {
        let error = &target - &self.inputs.dot(&values);
        let slope = self.inputs.t().dot(&error) / error.len().max(1) as f64;
        &values + &self.solve(slope)
    }

    /// `moments⁻¹ b`.
    fn solve(&self, mut b: Array1<f64>) -> Array1<f64> {
        let n = b.len();
        for i in 0..n {
            for j in 0..i {
                b[i] -= self.root[[j, i]] * b[j];
            }
            b[i] /= self.root[[i, i]];
        }
        for i in (0..n).rev() {
            for j in i + 1..n {
                b[i] -= self.root[[i, j]] * b[j];
            }
            b[i] /= self.root[[i, i]];
        }
        b
    }

    /// Rounds `values`, bias first, so that the output's error is small.
    ///
    /// Weight by weight from the last, each takes over what it can of the errors so far; then each is
    /// looked at again until none is better elsewhere.
    ///
    /// # Source
    ///
    /// Frantar et al., *GPTQ*, 2023, in the form of Babai's nearest plane.
    pub(super) fn round(&self, values: &Array1<f64>, grid: Grid) -> Rounded {
        let n = values.len();
        let mut whole = Array1::zeros(n);
        let mut error = Array1::zeros(n);
        for i in (0..n).rev() {
            let others = self
                .root
                .slice(s![i, i + 1..])
                .dot(&error.slice(s![i + 1..]));
            let center = values[i] + others / self.root[[i, i]];
            whole[i] = grid.nearest(i, center);
            error[i] = values[i] - whole[i] * grid.unit(i);
        }
        self.descend(values, grid, &mut whole, &mut error);
        Rounded {
            cost: error.dot(&self.moments.dot(&error)),
            bias: whole[0] as i32,
            weight: whole.iter().skip(1).map(|w| *w as i16).collect(),
        }
    }

    /// Moves one number at a time to its best place.
    fn descend(
        &self,
        values: &Array1<f64>,
        grid: Grid,
        whole: &mut Array1<f64>,
        error: &mut Array1<f64>,
    ) {
        for _ in 0..MOST_SWEEPS {
            let mut moved = false;
            for i in (0..values.len()).rev() {
                let row = self.moments.row(i);
                let best = error[i] - row.dot(error) / row[i];
                let place = grid.nearest(i, values[i] - best);
                // A bias has so many places that it would never rest.
                let rests = if i == 0 { 1.0 } else { 0.0 };
                if (place - whole[i]).abs() > rests {
                    whole[i] = place;
                    error[i] = values[i] - place * grid.unit(i);
                    moved = true;
                }
            }
            if !moved {
                return;
            }
        }
    }
}

/// The upper triangular R with Rᵀ R = `a`, which is positive definite.
fn cholesky(a: &Array2<f64>) -> Array2<f64> {
    let n = a.nrows();
    let mut root = Array2::<f64>::zeros((n, n));
    for i in 0..n {
        let above = root.slice(s![..i, i]);
        let square = a[[i, i]] - above.dot(&above);
        // Rounding may leave next to nothing, or less.
        let pivot = square
            .max(a[[i, i]] * f64::EPSILON)
            .max(f64::MIN_POSITIVE)
            .sqrt();
        for j in i + 1..n {
            let product = root.slice(s![..i, i]).dot(&root.slice(s![..i, j]));
            root[[i, j]] = (a[[i, j]] - product) / pivot;
        }
        root[[i, i]] = pivot;
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two inputs that are nearly the same, and one of its own.
    fn inputs() -> Array2<f64> {
        Array2::from_shape_fn((200, 3), |(row, i)| {
            let t = row as f64 / 100.0 - 1.0;
            [t, t + 0.01 * (7.0 * t).sin(), (3.0 * t).cos()][i]
        })
    }

    const GRID: Grid = Grid {
        weight_unit: 0.1,
        bias_unit: 1e-6,
        weight_limit: 127.0,
        bias_limit: 1e9,
    };

    /// The mean square of the output's error.
    fn square(values: &Array1<f64>, weight: &[i16], bias: i32) -> f64 {
        let mut error = values.clone();
        error[0] -= f64::from(bias) * GRID.bias_unit;
        for (error, w) in error.iter_mut().skip(1).zip(weight) {
            *error -= f64::from(*w) * GRID.weight_unit;
        }
        let errors = Cost::new(&inputs()).inputs.dot(&error);
        errors.dot(&errors) / errors.len() as f64
    }

    #[test]
    fn errors_make_up_for_each_other() {
        // 0.14 and 0.24 make 0.38: nearest is 0.1 and 0.2, together 0.4 is better.
        let values = Array1::from(vec![0.03, 0.14, 0.24, 0.5]);
        let rounded = Cost::new(&inputs()).round(&values, GRID);
        assert_eq!(rounded.weight.iter().take(2).sum::<i16>(), 4);
        let nearest = square(&values, &[1, 2, 5], 30_000);
        let found = square(&values, &rounded.weight, rounded.bias);
        assert!(found < nearest / 3.0, "{found} of {nearest}");
        assert!(found <= rounded.cost, "{found} is part of {}", rounded.cost);
    }

    #[test]
    fn refit_takes_over_a_change_of_the_target() {
        // The ridge holds on to a little of the weights as they were.
        const TOLERANCE: f64 = 1e-2;
        let cost = Cost::new(&inputs());
        let values = Array1::from(vec![0.0, 0.5, 0.0, -0.5]);
        let target = cost.inputs.dot(&Array1::from(vec![0.25, 0.5, 0.0, 0.5]));
        let fitted = cost.refit(values.view(), target.view());
        let error = &cost.inputs.dot(&fitted) - &target;
        assert!(error.iter().all(|e| e.abs() < TOLERANCE), "{error}");
    }

    #[test]
    fn inputs_that_never_change_or_are_not_there_are_no_trouble() {
        let values = Array1::from(vec![0.7, 0.33]);
        for x in [
            Array2::zeros((10, 1)),
            Array2::ones((10, 1)),
            Array2::zeros((0, 1)),
        ] {
            let cost = Cost::new(&x);
            let target = Array1::from_elem(x.nrows(), 1.0);
            let fitted = cost.refit(values.view(), target.view());
            let rounded = cost.round(&fitted, GRID);
            assert!(rounded.cost.is_finite(), "{x}");
        }
    }
}
