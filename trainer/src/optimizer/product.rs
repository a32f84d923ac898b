//! Products of matrices as small as weights are.

use std::array::from_fn;

use ndarray::Array2;
use pulp::{Simd, WithSimd};

use crate::nn::kernel::dispatch;

/// Columns of a tile: two vectors of `f32` where vectors have 256 bits.
const LANES: usize = 16;

/// Rows of a tile. Six times two sums leave four of sixteen registers for what is multiplied.
const ROWS: usize = 6;

/// `left` · `right`, both row by row in memory.
///
/// Each sum is taken in one order, by fused multiply-adds: the same bits on every processor, which
/// `ndarray`'s own product does not promise.
pub(super) fn product(left: &Array2<f32>, right: &Array2<f32>) -> Array2<f32> {
    product_of_part(left, right, false)
}

/// `left` · `right` where that is symmetric, the numbers below the diagonal left out or not, as it happens.
pub(super) fn upper_product(left: &Array2<f32>, right: &Array2<f32>) -> Array2<f32> {
    product_of_part(left, right, true)
}

fn product_of_part(left: &Array2<f32>, right: &Array2<f32>, upper: bool) -> Array2<f32> {
    let (rows, columns) = (left.nrows(), right.ncols());
    assert_eq!(left.ncols(), right.nrows(), "the inner sides are the same");
    let mut product = Array2::zeros((rows, columns));
    if left.is_empty() || right.is_empty() {
        return product;
    }
    dispatch(Product {
        left: left.as_slice().expect(STANDARD),
        right: right.as_slice().expect(STANDARD),
        columns,
        upper,
        product: product.as_slice_mut().expect(STANDARD),
    });
    product
}

/// `matrix`ᵀ, row by row in memory.
pub(super) fn transposed(matrix: &Array2<f32>) -> Array2<f32> {
    let (rows, columns) = matrix.dim();
    let mut transposed = Array2::zeros((columns, rows));
    let to = transposed.as_slice_mut().expect(STANDARD);
    let from = matrix.as_slice().expect(STANDARD);
    for (i, row) in from.chunks_exact(columns.max(1)).enumerate() {
        let places = to[i..].iter_mut().step_by(rows);
        places.zip(row).for_each(|(place, &x)| *place = x);
    }
    transposed
}

pub(super) const STANDARD: &str = "the layout is standard";

/// Tile by tile.
struct Product<'a> {
    left: &'a [f32],
    right: &'a [f32],
    columns: usize,
    /// Whether tiles below the diagonal are left out.
    upper: bool,
    product: &'a mut [f32],
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let whole = self.columns - self.columns % LANES;
        for at in (0..whole).step_by(LANES) {
            let panel = self.right.chunks_exact(self.columns);
            let panel = panel.map(|row| row[at..].first_chunk().expect("a whole block"));
            self.panel(at, LANES, panel);
        }
        if whole < self.columns {
            let rows = self.right.chunks_exact(self.columns);
            let panel: Vec<[f32; LANES]> = rows
                .map(|row| from_fn(|lane| row.get(whole + lane).copied().unwrap_or(0.0)))
                .collect();
            self.panel(whole, self.columns - whole, panel.iter());
        }
    }
}

impl Product<'_> {
    /// `width` columns from `at` on.
    #[inline(always)]
    fn panel<'b>(
        &mut self,
        at: usize,
        width: usize,
        panel: impl Iterator<Item = &'b [f32; LANES]> + Clone,
    ) {
        let inner = self.right.len() / self.columns;
        let rows = self.left.len() / inner;
        let mut row = 0;
        while row < rows && !(self.upper && row >= at + width) {
            let left = &self.left[row * inner..];
            let product = &mut self.product[row * self.columns..];
            let count = [ROWS, 4, 2, 1]
                .into_iter()
                .find(|&count| row + count <= rows);
            let count = count.expect("a row is left");
            let place = (self.columns, at, width);
            match count {
                ROWS => tile::<ROWS>(left, inner, panel.clone(), product, place),
                4 => tile::<4>(left, inner, panel.clone(), product, place),
                2 => tile::<2>(left, inner, panel.clone(), product, place),
                _ => tile::<1>(left, inner, panel.clone(), product, place),
            }
            row += count;
        }
    }
}

/// `M` rows of the product with a panel, put where `place` says: columns in all, first, and how many.
#[inline(always)]
fn tile<'b, const M: usize>(
    left: &[f32],
    inner: usize,
    panel: impl Iterator<Item = &'b [f32; LANES]>,
    product: &mut [f32],
    (columns, at, width): (usize, usize, usize),
) {
    let left: [&[f32]; M] = from_fn(|i| &left[i * inner..][..inner]);
    let mut sums = [[0.0f32; LANES]; M];
    for (k, right) in panel.take(inner).enumerate() {
        // A copy stays in registers.
        let right = *right;
        for (sums, left) in sums.iter_mut().zip(left) {
            let pairs = sums.iter_mut().zip(&right);
            pairs.for_each(|(sum, &x)| *sum = left[k].mul_add(x, *sum));
        }
    }
    for (sums, product) in sums.iter().zip(product.chunks_exact_mut(columns)) {
        product[at..][..width].copy_from_slice(&sums[..width]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_any_shape_are_those_of_the_formula() {
        // Integers so small that every sum is exact.
        for (rows, inner, columns) in [(1, 1, 1), (4, 3, 16), (7, 5, 17), (9, 40, 33), (2, 0, 3)] {
            let left = Array2::from_shape_fn((rows, inner), |(i, k)| (3 * i + 5 * k) as f32 % 7.0);
            let right = Array2::from_shape_fn((inner, columns), |(k, j)| (k * k + j) as f32 % 5.0);
            let expected = Array2::from_shape_fn((rows, columns), |(i, j)| {
                (0..inner)
                    .map(|k| left[[i, k]] * right[[k, j]])
                    .sum::<f32>()
            });
            assert_eq!(product(&left, &right), expected);
            let other = product(&transposed(&right), &transposed(&left));
            assert_eq!(transposed(&other), expected);
        }
    }

    #[test]
    fn the_upper_part_of_a_symmetric_product_is_that_of_the_whole() {
        for side in [1, 7, 40, 64] {
            let left = Array2::from_shape_fn((side, 5), |(i, k)| (3 * i + 5 * k) as f32 % 7.0);
            let right = transposed(&left);
            let (upper, whole) = (upper_product(&left, &right), product(&left, &right));
            for ((i, j), &number) in upper.indexed_iter() {
                assert!(j < i || number == whole[[i, j]], "{i}, {j} of {side}");
            }
        }
    }
}
