//! Where a loss that is not finite comes from.

use std::fmt;

use ndarray::ArrayView2;

/// So many standard deviations from the mean a number is far out.
const FAR: f32 = 20.0;

/// What made a loss leave the finite numbers.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Culprit {
    /// A column with numbers far from its mean.
    Column {
        /// Its label.
        label: String,
        /// The row of the table, from 1, with the farthest.
        row: usize,
        /// How far that is, in standard deviations.
        distance: f32,
    },
    /// The net of a layer.
    Layer {
        /// Which, from 1.
        layer: usize,
        /// How many there are.
        layers: usize,
    },
    /// Nothing that is left to see: all numbers are finite at the best weights.
    Rate,
}

impl Culprit {
    /// The number farthest out among `rows` of standardized `points`, if it is far.
    pub(super) fn column(
        points: ArrayView2<f32>,
        rows: &[usize],
        labels: &[String],
    ) -> Option<Self> {
        let distances = rows.iter().flat_map(|&row| {
            let numbers = points.row(row).into_iter().enumerate();
            numbers.map(move |(column, x)| (x.abs(), row, column))
        });
        let (distance, row, column) = distances.max_by(|a, b| a.0.total_cmp(&b.0))?;
        (distance > FAR).then(|| Self::Column {
            label: labels.get(column).cloned().unwrap_or_default(),
            row: row + 1,
            distance,
        })
    }
}

impl fmt::Display for Culprit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column {
                label,
                row,
                distance,
            } => write!(
                f,
                "column {label} lies {distance:.0} standard deviations out in row {row}: drop such rows, or \
                 take its logarithm"
            ),
            Self::Layer { layer, layers } => write!(
                f,
                "it comes from the net of layer {layer} of {layers}: lower the rate with --learning-rate"
            ),
            Self::Rate => write!(f, "the rate is too high: lower it with --learning-rate"),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::arr2;

    use super::*;

    #[test]
    fn the_farthest_number_of_these_rows_is_named() {
        let points = arr2(&[[0.0, -30.0], [2.0, 25.0], [90.0, 0.0]]);
        let labels = ["x".to_owned(), "y".to_owned()];
        let found = Culprit::column(points.view(), &[0, 1], &labels).expect("30 is far");
        assert_eq!(
            found.to_string(),
            "column y lies 30 standard deviations out in row 1: drop such rows, or take its logarithm"
        );
        assert_eq!(
            Culprit::column(points.slice(ndarray::s![.., ..1]), &[0, 1], &labels),
            None
        );
    }
}
