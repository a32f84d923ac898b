//! The classifier two-sample test.

use std::cmp::Ordering;

use ndarray::{ArrayView1, ArrayView2, Axis, concatenate, s};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

/// Neighbours that vote on a point.
const NEIGHBOURS: usize = 50;
/// Where there are fewer points than ten times [`NEIGHBOURS`], one in so many votes.
const POINTS_A_NEIGHBOUR: usize = 10;
/// Parts that the points are dealt into; each part is judged by the others.
const FOLDS: usize = 5;
/// Fixed, so that one pair of sets has one accuracy.
const SEED: u64 = 12345;
/// Coordinates that are subtracted at a time.
const LANES: usize = 4;

/// How often a classifier tells which of two sets a point is from: 0.5 if they are alike, 1 if they are
/// wholly apart.
///
/// Each point is classified by its 50 nearest neighbours (a tenth of all points, if there are fewer than
/// 500) among those of the other four of five parts; a tie counts one half. If one set is larger, only
/// its first points count, so that guessing gives 0.5. Sets of one law give a little less than 0.5: in
/// the other parts, a point's own set is the one that lacks it. `NaN` where a point is not finite or a set
/// has fewer than five.
///
/// # Shapes
///
/// `a`: `[n, dim]`, `b`: `[m, dim]`.
///
/// # Panics
///
/// If the sets differ in their dimension.
///
/// # Cost
///
/// Points are sorted along one axis and searched outwards: in two dimensions some hundred distances a
/// point, in many dimensions up to as many as there are points.
///
/// # Source
///
/// Lopez-Paz and Oquab, *Revisiting Classifier Two-Sample Tests*, 2017.
pub fn two_sample_accuracy(a: ArrayView2<f32>, b: ArrayView2<f32>) -> f64 {
    let count = a.nrows().min(b.nrows());
    let [a, b] = [a, b].map(|points| points.slice_move(s![..count, ..]));
    let finite = |points: &ArrayView2<'_, f32>| points.iter().all(|x| x.is_finite());
    assert_eq!(a.ncols(), b.ncols(), "both sets have one dimension");
    if count < FOLDS || !finite(&a) || !finite(&b) {
        return f64::NAN;
    }
    let points = Points::new(a, b);
    // Halves of whole numbers, whose sum is the same in any order.
    let correct: f64 = (0..2 * count)
        .into_par_iter()
        .map(|i| points.judge(i))
        .sum();
    correct / (2 * count) as f64
}

/// Both sets, in the order of one coordinate.
struct Points {
    /// Of each point, the coordinate that they are sorted by.
    key: Vec<f32>,
    /// The coordinates of each point, filled up with zeros to a multiple of [`LANES`].
    coordinates: Vec<[f32; LANES]>,
    /// How many such groups a point has.
    groups: usize,
    is_first: Vec<bool>,
    fold: Vec<usize>,
    neighbours: usize,
}

impl Points {
    fn new(a: ArrayView2<f32>, b: ArrayView2<f32>) -> Self {
        let all = concatenate(Axis(0), &[a, b]).expect("both sets have one dimension");
        let axis = widest(all.view());
        let folds = [folds(a.nrows(), SEED), folds(b.nrows(), SEED + 1)].concat();
        let mut order: Vec<usize> = (0..all.nrows()).collect();
        order.sort_by(|i, j| all[[*i, axis]].total_cmp(&all[[*j, axis]]));

        let groups = all.ncols().div_ceil(LANES);
        let group = |i: usize, group: usize| {
            let start = group * LANES;
            std::array::from_fn(|lane| *all.get([i, start + lane]).unwrap_or(&0.0))
        };
        let groups_of = |i: &usize| (0..groups).map(|of| group(*i, of)).collect::<Vec<_>>();
        Self {
            key: order.iter().map(|i| all[[*i, axis]]).collect(),
            coordinates: order.iter().flat_map(groups_of).collect(),
            groups,
            is_first: order.iter().map(|i| *i < a.nrows()).collect(),
            fold: order.iter().map(|i| folds[*i]).collect(),
            neighbours: NEIGHBOURS.min(all.nrows() / POINTS_A_NEIGHBOUR).max(1),
        }
    }

    /// Whether the neighbours of point `i` know its set: 1, 0 or, where they are even, ½.
    fn judge(&self, i: usize) -> f64 {
        let nearest = self.nearest(i);
        let is_own = |j: &&usize| self.is_first[**j] == self.is_first[i];
        let own = nearest.iter().filter(is_own).count();
        verdict(own, nearest.len() - own)
    }

    /// The nearest points of other folds.
    fn nearest(&self, i: usize) -> Vec<usize> {
        let mut nearest = Nearest::new(self.neighbours);
        let gap = |j: usize| (self.key[j] - self.key[i]).powi(2);
        // Below `left` and from `right` on, points are yet to be looked at.
        let (mut left, mut right) = (i, i + 1);
        loop {
            let left_gap = left.checked_sub(1).map_or(f32::INFINITY, gap);
            let right_gap = if right < self.key.len() {
                gap(right)
            } else {
                f32::INFINITY
            };
            // The farthest neighbour is nearer than what is left, which may be nothing.
            if left_gap.min(right_gap) >= nearest.reach {
                break nearest.indices();
            }
            let j = if left_gap < right_gap {
                left -= 1;
                left
            } else {
                right += 1;
                right - 1
            };
            if self.fold[j] != self.fold[i] {
                nearest.offer(j, self.squared_distance(i, j));
            }
        }
    }

    fn squared_distance(&self, i: usize, j: usize) -> f32 {
        let of = |point: usize| &self.coordinates[point * self.groups..][..self.groups];
        let mut lanes = [0.0; LANES];
        for (x, y) in of(i).iter().zip(of(j)) {
            for lane in 0..LANES {
                lanes[lane] += (x[lane] - y[lane]) * (x[lane] - y[lane]);
            }
        }
        lanes.iter().sum()
    }
}

/// 1 for a majority of its own set, ½ for a tie.
fn verdict(own: usize, others: usize) -> f64 {
    match own.cmp(&others) {
        Ordering::Greater => 1.0,
        Ordering::Equal => 0.5,
        Ordering::Less => 0.0,
    }
}

/// The nearest points so far, and some that may not be.
struct Nearest {
    /// Squared distance above, index below: in the order of the distances, since none is negative.
    keys: Vec<u64>,
    most: usize,
    /// Squared distance that a point must be under to be among them.
    reach: f32,
}

impl Nearest {
    fn new(most: usize) -> Self {
        Self {
            keys: Vec::with_capacity(2 * most),
            most,
            reach: f32::INFINITY,
        }
    }

    fn offer(&mut self, index: usize, square: f32) {
        if square < self.reach {
            self.keys
                .push(u64::from(square.to_bits()) << 32 | index as u64);
            // Seldom, since it takes a look at all.
            if self.keys.len() == 2 * self.most {
                self.shrink();
            }
        }
    }

    /// Leaves the nearest only.
    fn shrink(&mut self) {
        let (_, farthest, _) = self.keys.select_nth_unstable(self.most - 1);
        self.reach = f32::from_bits((*farthest >> 32) as u32);
        self.keys.truncate(self.most);
    }

    fn indices(mut self) -> Vec<usize> {
        if self.keys.len() > self.most {
            self.shrink();
        }
        let index = |key: u64| key as u32 as usize;
        self.keys.into_iter().map(index).collect()
    }
}

/// The column that reaches over the widest range.
fn widest(points: ArrayView2<f32>) -> usize {
    let range = |column: ArrayView1<f32>| {
        let max = column.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        max - column.iter().copied().fold(f32::INFINITY, f32::min)
    };
    let ranges = points.columns().into_iter().map(range).enumerate();
    let widest = ranges.max_by(|(_, a), (_, b)| a.total_cmp(b));
    widest.map_or(0, |(axis, _)| axis)
}

/// A part for each of `count` points: as many in each, at random.
fn folds(count: usize, seed: u64) -> Vec<usize> {
    let mut folds: Vec<usize> = (0..count).map(|i| i % FOLDS).collect();
    folds.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(seed));
    folds
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    /// `n` points of a normal distribution about (shift, 0, 0, …).
    fn normal(seed: u64, n: usize, dim: usize, shift: f32) -> Array2<f32> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut points =
            Array2::from_shape_simple_fn((n, dim), || flowlet::StandardNormal.sample(&mut rng));
        points.column_mut(0).mapv_inplace(|x| x + shift);
        points
    }

    #[test]
    fn neighbours_are_those_that_a_search_of_all_finds() {
        for dim in [1, 2, 5] {
            let (a, b) = (normal(1, 300, dim, 0.0), normal(2, 300, dim, 1.0));
            let points = Points::new(a.view(), b.view());
            for i in (0..600).step_by(7) {
                let others = (0..600).filter(|j| points.fold[*j] != points.fold[i]);
                let mut others: Vec<usize> = others.collect();
                others.sort_by(|j, k| {
                    let square = |j: &usize| points.squared_distance(i, *j);
                    square(j).total_cmp(&square(k))
                });
                let mut found = points.nearest(i);
                found.sort_unstable();
                others.truncate(50);
                others.sort_unstable();
                assert_eq!(found, others, "{dim} dimensions, point {i}");
            }
        }
    }

    #[test]
    fn a_tie_is_half() {
        assert_eq!(
            [verdict(2, 1), verdict(1, 1), verdict(1, 2)],
            [1.0, 0.5, 0.0]
        );
    }

    #[test]
    fn sets_apart_are_told_without_a_mistake() {
        let (a, b) = (normal(1, 50, 3, 0.0), normal(2, 50, 3, 100.0));
        assert_eq!(two_sample_accuracy(a.view(), b.view()), 1.0);
    }

    /// The best guess between N(0, I) and N(δ, I) is right with probability Φ(δ/2).
    #[test]
    fn normals_are_told_apart_as_well_as_can_be() {
        /// Four standard errors of 8,000 guesses, and a vote that is not the best guess.
        const TOLERANCE: f64 = 0.025;
        for (shift, best) in [(0.0, 0.5), (1.0, 0.6915), (2.0, 0.8413)] {
            let (a, b) = (normal(1, 4000, 2, 0.0), normal(2, 4000, 2, shift));
            let found = two_sample_accuracy(a.view(), b.view());
            assert!((found - best).abs() < TOLERANCE, "{found} for {best}");
        }
    }

    #[test]
    fn parts_are_as_large_as_can_be_of_both_sets() {
        let folds = folds(103, SEED);
        let count = |fold| folds.iter().filter(|of| **of == fold).count();
        assert_eq!([0, 1, 2, 3, 4].map(count), [21, 21, 21, 20, 20]);
    }

    #[test]
    fn only_as_many_points_count_as_both_have() {
        let (a, b) = (normal(1, 300, 2, 0.0), normal(2, 200, 2, 1.0));
        let first = two_sample_accuracy(a.slice(s![..200, ..]), b.view());
        assert_eq!(two_sample_accuracy(a.view(), b.view()), first);
    }

    #[test]
    fn nan_and_too_few_points_are_not_hidden() {
        let points = normal(1, 40, 2, 0.0);
        for wrong in [f32::NAN, f32::INFINITY] {
            let mut broken = points.clone();
            broken[[39, 1]] = wrong;
            assert!(two_sample_accuracy(points.view(), broken.view()).is_nan());
            assert!(two_sample_accuracy(broken.view(), points.view()).is_nan());
        }
        assert!(two_sample_accuracy(points.view(), points.slice(s![..4, ..])).is_nan());
    }
}
