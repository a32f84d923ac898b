//! Optimal transport between two sets of equally many points.

use std::collections::VecDeque;

use pulp::{Simd, WithSimd};

use crate::nn::kernel::dispatch;

/// By how much a row bids more than it must, as shares of the mean cost, round by round: prices come close
/// in few bids where they rise in large steps first.
const RAISES: [f32; 3] = [0.08, 0.02, 0.005];

/// Most bids a row has on average in each of these rounds.
const BIDS_A_ROW: usize = 4;

/// Most bids a row has on average before the rest is settled path by path.
const LAST_BIDS_A_ROW: usize = 2;

/// Columns that are looked at together.
const LANES: usize = 16;

/// Of a row without a column and of a column without a row.
const NONE: usize = usize::MAX;

/// The assignment of rows to columns with the least sum of costs.
///
/// `costs` are row by row, `[n, n]`; the result names the column of each row.
///
/// # Cost
///
/// At most n³ additions and comparisons or so; for squared distances of 128 points to 128, about 0.2 ms.
///
/// # Panics
///
/// If `costs` are not `n`² finite numbers.
///
/// # Source
///
/// Jonker and Volgenant, *A Shortest Augmenting Path Algorithm for Dense and Sparse Linear
/// Assignment Problems*, 1987, from prices that are not those of their column reduction but of an auction:
/// Bertsekas, *The Auction Algorithm*, 1988, with his scaling of ε.
pub fn assignment(costs: &[f32], n: usize) -> Vec<usize> {
    assert_eq!(costs.len(), n * n, "costs are n rows of n");
    assert!(
        costs.iter().all(|cost| cost.is_finite()),
        "costs are finite"
    );
    dispatch(Assignment { costs, n })
}

/// The work, compiled for the vectors that this processor has.
struct Assignment<'a> {
    costs: &'a [f32],
    n: usize,
}

impl WithSimd for Assignment<'_> {
    type Output = Vec<usize>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Vec<usize> {
        let mut market = Market::new(self.costs, self.n);
        let mean = self.costs.iter().sum::<f32>() / self.costs.len().max(1) as f32;
        for share in RAISES {
            market.bid(BIDS_A_ROW, share * mean.abs());
            // At these prices rows hold columns that are not quite their best.
            market.column_of_row.fill(NONE);
            market.row_of_column.fill(NONE);
        }
        for row in market.bid(LAST_BIDS_A_ROW, 0.0) {
            market.augment(row);
        }
        market.column_of_row
    }
}

/// Rows compete for columns, which have prices.
struct Market {
    n: usize,
    /// Row by row, `[n, blocks]`; the last block is filled up with infinity.
    costs: Vec<[f32; LANES]>,
    blocks: usize,
    /// What a row gains by taking a column, against its cost; at most 0.
    prices: Vec<[f32; LANES]>,
    column_of_row: Vec<usize>,
    row_of_column: Vec<usize>,
    /// The shortest way from the free row to each column, and the row before it on that way.
    distances: Vec<[f32; LANES]>,
    previous: Vec<[u32; LANES]>,
    /// 0 for columns whose shortest way may yet change, else infinity.
    settled: Vec<[f32; LANES]>,
}

impl Market {
    fn new(costs: &[f32], n: usize) -> Self {
        let blocks = n.div_ceil(LANES);
        let mut padded = vec![[f32::INFINITY; LANES]; n * blocks];
        let rows = padded.chunks_exact_mut(blocks.max(1));
        for (row, costs) in rows.zip(costs.chunks_exact(n.max(1))) {
            row.as_flattened_mut()[..n].copy_from_slice(costs);
        }
        Self {
            n,
            costs: padded,
            blocks,
            prices: vec![[0.0; LANES]; blocks],
            column_of_row: vec![NONE; n],
            row_of_column: vec![NONE; n],
            distances: vec![[0.0; LANES]; blocks],
            previous: vec![[0; LANES]; blocks],
            settled: vec![[0.0; LANES]; blocks],
        }
    }

    #[inline(always)]
    fn costs_of(&self, row: usize) -> &[[f32; LANES]] {
        &self.costs[row * self.blocks..][..self.blocks]
    }

    /// Each row in turn takes its best column, at the price that makes the second best as good and that is
    /// raised on top, and its owner has to look again. Gives the rows still without a column.
    #[inline(always)]
    fn bid(&mut self, bids_a_row: usize, raise: f32) -> VecDeque<usize> {
        let mut free: VecDeque<usize> = (0..self.n).collect();
        for _ in 0..bids_a_row * self.n {
            let Some(row) = free.pop_front() else { break };
            let (column, margin) = self.best(row);
            self.prices.as_flattened_mut()[column] -= margin + raise;
            let owner = std::mem::replace(&mut self.row_of_column[column], row);
            self.column_of_row[row] = column;
            if owner != NONE {
                self.column_of_row[owner] = NONE;
                free.push_back(owner);
            }
        }
        free
    }

    /// The column of the least cost after its price, and by how much the next is worse.
    #[inline(always)]
    fn best(&self, row: usize) -> (usize, f32) {
        let costs = self.costs_of(row);
        let (mut first, mut second) = ([f32::INFINITY; LANES], [f32::INFINITY; LANES]);
        for (costs, prices) in costs.iter().zip(&self.prices) {
            for lane in 0..LANES {
                let reduced = costs[lane] - prices[lane];
                second[lane] = least(second[lane], most(first[lane], reduced));
                first[lane] = least(first[lane], reduced);
            }
        }
        let mut width = LANES / 2;
        while width > 0 {
            for lane in 0..width {
                let [a, b] = [first[lane], first[lane + width]];
                second[lane] = least(least(second[lane], second[lane + width]), most(a, b));
                first[lane] = least(a, b);
            }
            width /= 2;
        }
        let column = position(costs, &self.prices, |cost, price| cost - price == first[0]);
        let margin = second[0] - first[0];
        // A single column has no next.
        (column, if margin.is_finite() { margin } else { 0.0 })
    }

    /// Gives `free` a column along the shortest path of changed owners, by Dijkstra's method.
    #[inline(always)]
    fn augment(&mut self, free: usize) {
        self.previous.as_flattened_mut().fill(free as u32);
        self.settled.as_flattened_mut().fill(0.0);
        self.distances.as_flattened_mut().fill(f32::INFINITY);
        let mut length = self.relax(free, 0.0);
        let mut passed = Vec::new();
        let last = loop {
            let column = position(&self.distances, &self.settled, |d, s| d + s == length);
            let owner = self.row_of_column[column];
            if owner == NONE {
                break column;
            }
            passed.push(column);
            self.settled.as_flattened_mut()[column] = f32::INFINITY;
            let cost = self.costs_of(owner).as_flattened()[column];
            let offset = cost - self.prices.as_flattened()[column] - length;
            length = self.relax(owner, offset);
        };
        for column in passed {
            let distance = self.distances.as_flattened()[column];
            self.prices.as_flattened_mut()[column] += distance - length;
        }
        self.change_owners(free, last);
    }

    /// Shortens the ways that are shorter by `row`, to which it is `offset` less than nothing; gives the
    /// least length of those not settled.
    #[inline(always)]
    fn relax(&mut self, row: usize, offset: f32) -> f32 {
        let costs = &self.costs[row * self.blocks..][..self.blocks];
        let ways = self.distances.iter_mut().zip(&mut self.previous);
        let columns = costs.iter().zip(&self.prices).zip(&self.settled);
        let mut lengths = [f32::INFINITY; LANES];
        for ((distance, previous), ((cost, price), settled)) in ways.zip(columns) {
            for lane in 0..LANES {
                let way = cost[lane] - price[lane] - offset + settled[lane];
                let shorter = way < distance[lane];
                distance[lane] = if shorter { way } else { distance[lane] };
                previous[lane] = if shorter { row as u32 } else { previous[lane] };
                lengths[lane] = least(lengths[lane], distance[lane] + settled[lane]);
            }
        }
        lengths.into_iter().fold(f32::INFINITY, least)
    }

    /// Every row on the way to `last` takes the next column.
    fn change_owners(&mut self, free: usize, last: usize) {
        let mut column = last;
        loop {
            let row = self.previous.as_flattened()[column] as usize;
            self.row_of_column[column] = row;
            let before = std::mem::replace(&mut self.column_of_row[row], column);
            if row == free {
                return;
            }
            column = before;
        }
    }
}

/// The first column for which `holds`, which there must be.
#[inline(always)]
fn position(
    left: &[[f32; LANES]],
    right: &[[f32; LANES]],
    holds: impl Fn(f32, f32) -> bool,
) -> usize {
    let block = left.iter().zip(right).position(|(left, right)| {
        let pairs = left.iter().zip(right);
        // Without an early end it becomes vector instructions.
        pairs.fold(false, |any, (&l, &r)| any | holds(l, r))
    });
    let block = block.expect(EQUAL);
    let mut pairs = left[block].iter().zip(&right[block]);
    block * LANES + pairs.position(|(&l, &r)| holds(l, r)).expect(EQUAL)
}

const EQUAL: &str = "a finite number is equal to itself";

/// Unlike `f32::min`, a single instruction: nothing here is NaN.
#[inline(always)]
fn least(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

#[inline(always)]
fn most(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    /// The least sum over all permutations of the columns not yet used.
    fn least(costs: &[f32], n: usize, row: usize, used: u32) -> f64 {
        if row == n {
            return 0.0;
        }
        let free = (0..n).filter(|column| used & (1 << column) == 0);
        let sums = free.map(|column| {
            f64::from(costs[row * n + column]) + least(costs, n, row + 1, used | 1 << column)
        });
        sums.fold(f64::INFINITY, f64::min)
    }

    fn sum(costs: &[f32], n: usize, columns: &[usize]) -> f64 {
        let costs = columns
            .iter()
            .enumerate()
            .map(|(row, column)| costs[row * n + column]);
        costs.map(f64::from).sum()
    }

    #[test]
    fn no_permutation_costs_less() {
        // Seven sums of numbers up to 1 in f32.
        const TOLERANCE: f64 = 1e-6;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(12);
        for n in [0, 1, 2, 3, 5, 7].repeat(20) {
            let costs: Vec<f32> = (0..n * n).map(|_| rng.random()).collect();
            let columns = assignment(&costs, n);
            let (found, least) = (sum(&costs, n, &columns), least(&costs, n, 0, 0));
            assert!((found - least).abs() < TOLERANCE, "{found} for {least}");
        }
    }

    #[test]
    fn each_column_is_given_once_where_all_cost_the_same() {
        let mut columns = assignment(&[1.0; 49], 7);
        columns.sort_unstable();
        assert!(columns.into_iter().eq(0..7));
    }

    #[test]
    fn points_on_a_line_are_joined_in_their_order() {
        // Costs up to 36 and their sums along paths, rounded to 2e-6 or so, 300 times.
        const TOLERANCE: f64 = 2e-3;
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(13);
        let n = 300;
        // Sorted, and far from each other, so that most rows want the same columns.
        let from: Vec<f32> = (0..n).map(|i| 0.01 * i as f32).collect();
        let mut to: Vec<f32> = (0..n).map(|_| 5.0 + rng.random::<f32>()).collect();
        to.sort_unstable_by(f32::total_cmp);
        let costs = from
            .iter()
            .flat_map(|a| to.iter().map(move |b| (a - b) * (a - b)));
        let costs: Vec<f32> = costs.collect();
        let found = sum(&costs, n, &assignment(&costs, n));
        let least = sum(&costs, n, &(0..n).collect::<Vec<_>>());
        assert!((found - least).abs() < TOLERANCE, "{found} for {least}");
    }
}
