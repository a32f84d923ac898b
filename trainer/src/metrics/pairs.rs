//! Sums over all pairs of points of a function of their squared distance.

use ndarray::ArrayView2;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::nn::kernel::dispatch;

/// Terms that are summed in `f32`, each place by itself, before the sum goes on in `f64`.
const LANES: usize = 16;
/// Rows of `LANES` terms between two turns to `f64`: so few that their sum is as exact as they are.
const ROWS: usize = 8;

/// A set column by column.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) count: usize,
    columns: Vec<Vec<f32>>,
}

impl Columns {
    pub(super) fn new(points: ArrayView2<f32>) -> Self {
        let columns = points.columns().into_iter();
        Self {
            count: points.nrows(),
            columns: columns.map(|column| column.to_vec()).collect(),
        }
    }

    /// The sum over all pairs of a point of `self` and one of `other`.
    pub(super) fn sum_between(&self, other: &Self, term: impl Fn(f32) -> f32 + Sync) -> f64 {
        let (dim, other_dim) = (self.columns.len(), other.columns.len());
        assert_eq!(dim, other_dim, "both sets have one dimension");
        self.sum(|_, point| other.sum_from(0, point, &term))
    }

    /// The sum over all pairs of two points of `self`, each pair once, and of each point with itself, so
    /// that one that is not finite shows even where it is the only one.
    pub(super) fn sum_within(&self, term: impl Fn(f32) -> f32 + Sync) -> f64 {
        self.sum(|i, point| self.sum_from(i, point, &term))
    }

    /// The sum of `function` over all points, each with its index.
    fn sum(&self, function: impl Fn(usize, &[f32]) -> f64 + Sync) -> f64 {
        let at = |i| {
            let point: Vec<f32> = self.columns.iter().map(|column| column[i]).collect();
            function(i, &point)
        };
        // Added in order, so that threads change no bit.
        let terms: Vec<f64> = (0..self.count).into_par_iter().map(at).collect();
        terms.iter().sum()
    }

    /// The sum over the points from `start` on, paired with `point`.
    fn sum_from(&self, start: usize, point: &[f32], term: &impl Fn(f32) -> f32) -> f64 {
        dispatch(SumFrom {
            set: self,
            start,
            point,
            term,
        })
    }
}

struct SumFrom<'a, F> {
    set: &'a Columns,
    start: usize,
    point: &'a [f32],
    term: &'a F,
}

impl<F: Fn(f32) -> f32> WithSimd for SumFrom<'_, F> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let (count, mut start) = (self.set.count, self.start);
        let mut sum = 0.0;
        while start + LANES <= count {
            let mut lanes = [0.0f32; LANES];
            for _ in 0..ROWS.min((count - start) / LANES) {
                let squares = self.squared_distances::<LANES>(start);
                for (lane, square) in lanes.iter_mut().zip(squares) {
                    *lane += (self.term)(square);
                }
                start += LANES;
            }
            sum += lanes.iter().copied().map(f64::from).sum::<f64>();
        }
        for j in start..count {
            let [square] = self.squared_distances::<1>(j);
            sum += f64::from((self.term)(square));
        }
        sum
    }
}

impl<F> SumFrom<'_, F> {
    /// To `N` points of the set.
    #[inline(always)]
    fn squared_distances<const N: usize>(&self, start: usize) -> [f32; N] {
        let mut squares = [0.0; N];
        for (column, x) in self.set.columns.iter().zip(self.point) {
            for (square, y) in squares.iter_mut().zip(&column[start..start + N]) {
                *square += (x - y) * (x - y);
            }
        }
        squares
    }
}
