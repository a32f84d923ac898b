//! Products of matrices as small as weights are.

use std::array::from_fn;

use ndarray::{Array2, ArrayView2};
use pulp::{Simd, WithSimd};

use crate::nn::kernel::dispatch;

/// Columns of a tile: two vectors of `f32` where vectors have 256 bits.
const LANES: usize = 16;

/// Rows of a tile.
const ROWS: usize = 4;

/// `left` · `right`.
///
/// Each sum is taken in one order, by fused multiply-adds: the same bits on every processor, which
/// `ndarray`'s own product does not promise.
pub(super) fn product(left: ArrayView2<f32>, right: ArrayView2<f32>) -> Array2<f32> {
    let (rows, columns) = (left.nrows(), right.ncols());
    assert_eq!(left.ncols(), right.nrows(), "the inner sides are the same");
    let mut product = Array2::zeros((rows, columns));
    if left.is_empty() || right.is_empty() {
        return product;
    }
    let (left, right) = (left.as_standard_layout(), right.as_standard_layout());
    dispatch(Product {
        left: left.as_slice().expect(STANDARD),
        right: right.as_slice().expect(STANDARD),
        columns,
        product: product.as_slice_mut().expect(STANDARD),
    });
    product
}

const STANDARD: &str = "the layout is standard";

/// Row by row.
struct Product<'a> {
    left: &'a [f32],
    right: &'a [f32],
    columns: usize,
    product: &'a mut [f32],
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let inner = self.right.len() / self.columns;
        let rows = self.left.chunks(ROWS * inner);
        let rows = rows.zip(self.product.chunks_mut(ROWS * self.columns));
        for (left, product) in rows {
            match left.len() / inner {
                ROWS => rows_of::<ROWS>(left, self.right, self.columns, product),
                _ => {
                    let rows = left.chunks(inner).zip(product.chunks_mut(self.columns));
                    rows.for_each(|(left, product)| {
                        rows_of::<1>(left, self.right, self.columns, product);
                    });
                }
            }
        }
    }
}

/// `M` rows of the product.
#[inline(always)]
fn rows_of<const M: usize>(left: &[f32], right: &[f32], columns: usize, product: &mut [f32]) {
    let inner = left.len() / M;
    let left: [&[f32]; M] = from_fn(|i| &left[i * inner..][..inner]);
    for at in (0..columns).step_by(LANES) {
        let width = LANES.min(columns - at);
        let mut sums = [[0.0f32; LANES]; M];
        for (k, right) in right.chunks_exact(columns).enumerate() {
            let mut lanes = [0.0; LANES];
            match right[at..].first_chunk::<LANES>() {
                Some(whole) => lanes = *whole,
                None => lanes[..width].copy_from_slice(&right[at..]),
            }
            for (sums, left) in sums.iter_mut().zip(left) {
                let pairs = sums.iter_mut().zip(&lanes);
                pairs.for_each(|(sum, &x)| *sum = left[k].mul_add(x, *sum));
            }
        }
        for (sums, product) in sums.iter().zip(product.chunks_exact_mut(columns)) {
            product[at..][..width].copy_from_slice(&sums[..width]);
        }
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
            assert_eq!(product(left.view(), right.view()), expected);
            // Column by column in memory.
            let transposed = product(right.t(), left.t());
            assert_eq!(transposed, expected.t());
        }
    }
}
