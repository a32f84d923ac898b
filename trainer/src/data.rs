//! What a flow is fitted to: points, and optionally a context for each.

pub mod table;
pub mod toy;

use std::path::Path;

use ndarray::Array2;

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

/// Indices of at most `most` of `all` rows, from all over the table.
pub(crate) fn evenly(all: usize, most: usize) -> Vec<usize> {
    let count = all.min(most);
    (0..count).map(|i| i * all / count).collect()
}
