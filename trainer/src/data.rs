//! What a flow is fitted to: points, and optionally a context for each.

pub mod table;
pub mod toy;

use std::path::Path;

use ndarray::{Array2, ArrayView1, ArrayView2};

/// Points to fit a flow to or to score, one a row.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// What the data is called: the toy set's name, or the file's without folder and ending.
    pub name: String,
    /// One row a point, one column a dimension: `[n, dim]`.
    pub points: Array2<f32>,
    /// What each point is conditioned on: `[n, context_dim]`, no columns where there is none.
    pub context: Array2<f32>,
    /// The names of the columns of `points`, then of `context`; a category's is `COLUMN=VALUE`.
    pub labels: Vec<String>,
}

/// What a file's data or model is called: the file's name without folder and ending.
pub fn name_of(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into()
}

/// Columns of which a standard deviation is fewer than 100 of the steps that `f32` takes at their largest
/// number, as the seconds since 1970 are; each with that step.
///
/// # Shapes
///
/// `points`: `[n, dim]`, all finite.
pub fn coarse_columns(points: ArrayView2<f32>) -> Vec<(usize, f32)> {
    const FEWEST_STEPS: f64 = 100.0;
    let step = |column: ArrayView1<f32>| {
        let largest = column.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        let step = largest.next_up() - largest;
        let std = column.mapv(f64::from).std(0.0);
        (std < FEWEST_STEPS * f64::from(step)).then_some(step)
    };
    let columns = points.columns().into_iter().enumerate();
    columns
        .filter_map(|(i, column)| Some((i, step(column)?)))
        .collect()
}

/// Indices of at most `most` of `all` rows, from all over the table.
pub(crate) fn evenly(all: usize, most: usize) -> Vec<usize> {
    let count = all.min(most);
    (0..count).map(|i| i * all / count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_since_1970_are_coarse_and_those_of_a_day_are_not() {
        let rows =
            Array2::from_shape_fn((500, 3), |(i, column)| [1.7e9, 8e4, 0.0][column] + i as f32);
        // 24 bits of 1.7e9, which is between 2^30 and 2^31.
        assert_eq!(coarse_columns(rows.view()), [(0, 128.0)]);
        assert!(coarse_columns(Array2::zeros((0, 2)).view()).is_empty());
    }
}
