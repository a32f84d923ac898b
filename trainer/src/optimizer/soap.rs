//! SOAP: Adam in the principal directions of the gradients.

use ndarray::{Array2, ArrayView2};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Approach;
use super::product::{STANDARD, product, transposed, upper_product};
use crate::nn::kernel::dispatch;
use crate::nn::{Mlp, parameters, parameters_mut};

const MEAN_DECAY: f32 = 0.95;
const SQUARE_DECAY: f32 = 0.95;
const COVARIANCE_DECAY: f32 = 0.95;
const EPSILON: f32 = 1e-8;

/// Steps from one turn of the directions to the next: they move slowly.
const STEPS_A_TURN: u32 = 10;

/// Longer sides of a matrix are left as they are: a turn of n directions costs n³ multiply-adds.
const LONGEST_SIDE: usize = 256;

/// Share of all gradients that each direction has at least, so that none is lost.
const RIDGE: f32 = 1e-6;

/// Adam on each weight matrix as it looks in the principal directions of its gradients.
///
/// With G the gradient of W, [m, n], and U and V the eigenvectors of the running means of G Gᵀ and
/// Gᵀ G, Adam's means of squares are those of Uᵀ G V, and its step is turned back by U · Vᵀ. U and
/// V follow by one power iteration now and then.
///
/// Flows have long narrow valleys, where the nets of many couplings work together: here a RealNVP comes
/// in 4,000 steps to a loss that Adam does not reach in 20,000.
///
/// # Cost
///
/// 2.5 (m² n + m n²) multiply-adds a step and matrix, on all threads: 0.3 million for 40-40, where the
/// gradient on 256 rows takes 1.2 million. A turn, every tenth step, takes 3 (m³ + n³) and
/// 2 (m² n + m n²) more.
///
/// # Source
///
/// Vyas et al., *SOAP: Improving and Stabilizing Shampoo using Adam*, 2025, algorithm 3.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Soap {
    steps: u32,
    tensors: Vec<Moments>,
}

/// What is known of the gradients of one tensor.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Moments {
    /// Their running mean, in the directions.
    mean: Array2<f32>,
    /// The running mean of their squares there.
    square: Array2<f32>,
    /// The directions of the rows and of the columns, where they are turned at all.
    left: Option<Directions>,
    right: Option<Directions>,
}

/// The principal directions of vectors.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Directions {
    /// The running mean of v vᵀ.
    covariance: Array2<f32>,
    /// Its eigenvectors, about, one a row and one a column: both, since products read row by row.
    rows: Array2<f32>,
    columns: Array2<f32>,
}

impl Soap {
    /// At rest, for the weights of `nets`.
    pub fn new(nets: &[Mlp<f32>]) -> Self {
        let layers = nets.iter().flat_map(|net| &net.layers);
        // In the order of `parameters`; a bias has no directions but its own.
        let tensors = layers.flat_map(|layer| {
            let [weight, bias] = [layer.weight.dim(), (1, layer.bias.len())];
            [Moments::new(weight, true), Moments::new(bias, false)]
        });
        Self {
            steps: 0,
            tensors: tensors.collect(),
        }
    }

    /// Moves the weights of `nets` against `factor` · `gradient`.
    pub fn step(&mut self, nets: &mut [Mlp<f32>], gradient: &[Mlp<f32>], factor: f32, rate: f64) {
        let turning = self.steps.is_multiple_of(STEPS_A_TURN);
        self.steps = self.steps.saturating_add(1);
        let share = |decay: f32| 1.0 - f64::from(decay).powf(self.steps.into());
        let rate = (rate / share(MEAN_DECAY)) as f32;
        let root = share(SQUARE_DECAY).sqrt().recip() as f32;
        let weights: Vec<_> = parameters_mut(nets).collect();
        let gradients: Vec<_> = parameters(gradient).collect();
        let tensors = self.tensors.par_iter_mut().zip(weights).zip(gradients);
        tensors.for_each(|((moments, weights), gradient)| {
            let shape = moments.mean.dim();
            let gradient = ArrayView2::from_shape(shape, gradient).expect(SAME_SHAPE);
            moments.step(weights, gradient.mapv(|g| factor * g), rate, root);
            if turning {
                moments.turn();
            }
        });
    }
}

const SAME_SHAPE: &str = "gradient and moments have the shape of the weights";

impl Moments {
    fn new(shape: (usize, usize), turned: bool) -> Self {
        let directions =
            |side| (turned && (2..=LONGEST_SIDE).contains(&side)).then(|| Directions::new(side));
        Self {
            mean: Array2::zeros(shape),
            square: Array2::zeros(shape),
            left: directions(shape.0),
            right: directions(shape.1),
        }
    }

    fn step(&mut self, weights: &mut [f32], gradient: Array2<f32>, rate: f32, root: f32) {
        if self.left.is_some() || self.right.is_some() {
            let across = transposed(&gradient);
            if let Some(left) = &mut self.left {
                left.observe(&gradient, &across);
            }
            if let Some(right) = &mut self.right {
                right.observe(&across, &gradient);
            }
        }
        let mut step = self.to_directions(gradient);
        dispatch(Adam {
            gradient_and_step: step.as_slice_mut().expect(STANDARD),
            mean: self.mean.as_slice_mut().expect(STANDARD),
            square: self.square.as_slice_mut().expect(STANDARD),
            rate,
            root,
        });
        let step = self.out_of_directions(step);
        let pairs = weights.iter_mut().zip(&step);
        pairs.for_each(|(weight, step)| *weight -= step);
    }

    /// Uᵀ · `matrix` · V
    fn to_directions(&self, mut matrix: Array2<f32>) -> Array2<f32> {
        if let Some(left) = &self.left {
            matrix = product(&left.rows, &matrix);
        }
        if let Some(right) = &self.right {
            matrix = product(&matrix, &right.columns);
        }
        matrix
    }

    /// U · `matrix` · Vᵀ
    fn out_of_directions(&self, mut matrix: Array2<f32>) -> Array2<f32> {
        if let Some(left) = &self.left {
            matrix = product(&left.columns, &matrix);
        }
        if let Some(right) = &self.right {
            matrix = product(&matrix, &right.rows);
        }
        matrix
    }

    /// Turns the directions, and the mean with them.
    fn turn(&mut self) {
        let mean = std::mem::take(&mut self.mean);
        let mean = self.out_of_directions(mean);
        let sides = [&mut self.left, &mut self.right];
        sides.into_iter().flatten().for_each(Directions::turn);
        self.mean = self.to_directions(mean);
    }
}

/// Adam's step for each number, in place of its gradient.
struct Adam<'a> {
    gradient_and_step: &'a mut [f32],
    mean: &'a mut [f32],
    square: &'a mut [f32],
    rate: f32,
    root: f32,
}

impl WithSimd for Adam<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let moments = self.mean.iter_mut().zip(self.square);
        for (g, (mean, square)) in self.gradient_and_step.iter_mut().zip(moments) {
            *mean += (1.0 - MEAN_DECAY) * (*g - *mean);
            *square += (1.0 - SQUARE_DECAY) * (*g * *g - *square);
            *g = self.rate * *mean / (square.sqrt() * self.root + EPSILON);
        }
    }
}

impl Directions {
    fn new(side: usize) -> Self {
        Self {
            covariance: Array2::zeros((side, side)),
            rows: Array2::eye(side),
            columns: Array2::eye(side),
        }
    }

    /// Takes in the columns of `vectors`, with `vectors`ᵀ given too.
    ///
    /// Below its diagonal, the covariance is not kept.
    fn observe(&mut self, vectors: &Array2<f32>, across: &Array2<f32>) {
        dispatch(Approach {
            mean: self.covariance.as_slice_mut().expect(STANDARD),
            values: upper_product(vectors, across).as_slice().expect(STANDARD),
            share: 1.0 - COVARIANCE_DECAY,
        });
    }

    /// One power iteration: the basis of (covariance + ridge) · basis, made orthonormal.
    ///
    /// Nothing is turned where there were no gradients.
    fn turn(&mut self) {
        let ridge = RIDGE * self.covariance.diag().sum();
        if !(ridge > 0.0 && ridge.is_finite()) {
            return;
        }
        let below = (0..self.rows.nrows()).flat_map(|i| (0..i).map(move |j| [i, j]));
        below.for_each(|[i, j]| self.covariance[[i, j]] = self.covariance[[j, i]]);
        let mut moved = product(&self.rows, &self.covariance);
        moved.scaled_add(ridge, &self.rows);
        // Once is not enough in f32 where a few directions have all the gradients.
        orthonormalize(&mut moved);
        orthonormalize(&mut moved);
        self.columns = transposed(&moved);
        self.rows = moved;
    }
}

/// Makes rows orthonormal, from the first to the last, by the modified Gram-Schmidt method.
fn orthonormalize(rows: &mut Array2<f32>) {
    let width = rows.ncols();
    let rows = rows.as_slice_mut().expect(STANDARD);
    dispatch(Orthonormalize { rows, width });
}

struct Orthonormalize<'a> {
    rows: &'a mut [f32],
    width: usize,
}

impl WithSimd for Orthonormalize<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let mut rest = self.rows;
        while let Some((row, others)) = rest.split_at_mut_checked(self.width) {
            let length = dot(row, row).sqrt();
            row.iter_mut().for_each(|x| *x /= length);
            for other in others.chunks_exact_mut(self.width) {
                let part = dot(row, other);
                let pairs = other.iter_mut().zip(&*row);
                pairs.for_each(|(other, &x)| *other = x.mul_add(-part, *other));
            }
            rest = others;
        }
    }
}

/// In sixteen sums, which are added up at the end: in one order on every processor.
#[inline(always)]
fn dot(left: &[f32], right: &[f32]) -> f32 {
    let ((left, left_rest), (right, right_rest)) = (left.as_chunks::<16>(), right.as_chunks());
    let mut sums = [0.0f32; 16];
    for (left, right) in left.iter().zip(right) {
        for (sum, (l, &r)) in sums.iter_mut().zip(left.iter().zip::<&[f32; 16]>(right)) {
            *sum = l.mul_add(r, *sum);
        }
    }
    let rest = left_rest.iter().zip(right_rest).map(|(l, r)| l * r);
    sums.into_iter().sum::<f32>() + rest.sum::<f32>()
}

#[cfg(test)]
mod tests {
    use flowlet::format::Activation;
    use ndarray::{Array1, arr1, arr2, s};
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::nn::Dense;
    use crate::optimizer::{Adam, Optimizer, cosine_decay};

    fn net(weight: Array2<f32>) -> Vec<Mlp<f32>> {
        let bias = Array1::zeros(weight.nrows());
        let layers = vec![Dense { weight, bias }];
        let activation = Activation::Tanh;
        vec![Mlp { layers, activation }]
    }

    fn random(side: usize) -> Array2<f32> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(11);
        Array2::from_shape_simple_fn((side, side), || 2.0 * rng.random::<f32>() - 1.0)
    }

    #[test]
    fn orthonormal_rows_stay_so_where_one_direction_has_almost_all() {
        // A few roundings a number.
        const TOLERANCE: f32 = 1e-5;
        let mut directions = Directions::new(40);
        let vector = random(40).slice(s![.., ..1]).to_owned();
        directions.observe(&vector, &transposed(&vector));
        for _ in 0..3 {
            directions.turn();
            let product = directions.rows.dot(&directions.columns);
            let error = (product - Array2::<f32>::eye(40)).mapv(f32::abs);
            let error = error.into_iter().fold(0.0, f32::max);
            assert!(error < TOLERANCE, "{error:e}");
        }
    }

    #[test]
    fn turns_lead_to_the_eigenvectors() {
        // After 30 iterations on eigenvalues of ratio 4 and 9, rounding is left.
        const TOLERANCE: f32 = 1e-5;
        let (mut directions, angle) = (Directions::new(2), 0.7f32);
        let (sin, cos) = angle.sin_cos();
        let vectors = arr2(&[[3.0 * cos, -sin], [3.0 * sin, cos]]);
        directions.observe(&vectors, &transposed(&vectors));
        (0..30).for_each(|_| directions.turn());
        let first = directions.rows.row(0);
        let error = (first[0].abs() - cos)
            .abs()
            .max((first[1].abs() - sin).abs());
        assert!(error < TOLERANCE, "{first}");
    }

    #[test]
    fn a_valley_across_the_axes_is_left_faster_than_by_adam() {
        // ½ tr(Rᵀ D R), with R = Q (W − 1), from far down the flat direction: a bowl a thousand times as
        // steep one way as the other.
        const STEPS: usize = 200;
        let (sin, cos) = 0.6f32.sin_cos();
        let turn = arr2(&[[cos, sin], [-sin, cos]]);
        let steepness = arr2(&[[1000.0, 0.0], [0.0, 1.0]]);
        let curvature = turn.t().dot(&steepness).dot(&turn);
        let start = net(turn.t().dot(&arr2(&[[0.5, -0.3], [4.0, 3.0]])) + 1.0);
        let loss = |mut optimizer: Optimizer| {
            let mut nets = start.clone();
            for i in 0..STEPS {
                let gradient = net(curvature.dot(&(&nets[0].layers[0].weight - 1.0)));
                optimizer.step(&mut nets, &gradient, 1.0, 0.1 * cosine_decay(i, STEPS));
            }
            let rest = &nets[0].layers[0].weight - 1.0;
            0.5 * (curvature.dot(&rest) * rest).sum()
        };
        let by_soap = loss(Optimizer::Soap(Soap::new(&start)));
        let by_adam = loss(Optimizer::Adam(Adam::new(&start)));
        assert!(
            by_soap < 0.1 * by_adam,
            "{by_soap} by SOAP, {by_adam} by Adam"
        );
    }

    #[test]
    fn what_has_no_directions_moves_as_by_adam_of_these_decays() {
        // In f32, against the formulas in f64.
        const TOLERANCE: f64 = 1e-6;
        let mut nets = net(arr2(&[[1.0]]));
        let mut soap = Soap::new(&nets);
        let (mut weight, mut mean, mut square) = (1.0, 0.0, 0.0);
        for (i, g) in [0.3, -1.0, 2.0, 0.1].into_iter().enumerate() {
            let mut gradient = net(arr2(&[[2.0 * g as f32]]));
            gradient[0].layers[0].bias = arr1(&[0.0]);
            soap.step(&mut nets, &gradient, 0.5, 0.01);
            mean = 0.95 * mean + 0.05 * g;
            square = 0.95 * square + 0.05 * g * g;
            let share = 1.0 - 0.95f64.powi(i as i32 + 1);
            let (mean, square): (f64, f64) = (mean / share, square / share);
            weight -= 0.01 * mean / (square.sqrt() + 1e-8);
            let error = f64::from(nets[0].layers[0].weight[[0, 0]]) - weight;
            assert!(error.abs() < TOLERANCE, "step {i}: {error:e}");
        }
    }
}
