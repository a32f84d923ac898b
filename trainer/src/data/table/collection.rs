//! From rows of cells to the numbers a flow reads, in one pass.

use ndarray::Array2;

use super::features::{Feature, Known};
use super::filter::Filter;
use super::rows::Row;
use super::{Place, Problem, Table};
use crate::Error;
use crate::data::{Dataset, name_of};

/// What was taken from a table.
#[derive(Clone, Debug)]
pub struct Selected {
    /// The rows that have all their values.
    pub data: Dataset,
    /// The other rows, by their index in the table: none unless
    /// [`Table::dropping_missing`] was asked for.
    pub dropped: Vec<usize>,
}

/// Which rows are taken.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) filters: Vec<Filter>,
    /// Columns that must have a value: none where a missing one is an error.
    whole: Vec<usize>,
}

impl Wanted {
    /// The rows that fulfil `filters`, without those that miss a value in one of the columns if so
    /// is the table's way.
    pub(super) fn new(
        table: &Table,
        filters: Vec<Filter>,
        columns: impl Iterator<Item = usize>,
    ) -> Self {
        let whole = match table.drop_missing {
            true => columns.collect(),
            false => Vec::new(),
        };
        Self { filters, whole }
    }

    pub(super) fn takes(&self, row: Row<'_>) -> bool {
        self.matches(row) && !row.misses(&self.whole)
    }

    fn matches(&self, row: Row<'_>) -> bool {
        self.filters.iter().all(|filter| filter.holds(row))
    }
}

impl Table {
    /// The numbers in `columns` and the context of the wanted rows; `text` says what is wrong with
    /// a cell that should be a number and is text.
    pub(super) fn collect(
        &self,
        wanted: &Wanted,
        columns: &[usize],
        features: &[Feature],
        text: fn(Place, String) -> Problem,
    ) -> Result<Selected, Error> {
        let known = Known::of(features);
        let (mut points, mut context) = (Vec::new(), Vec::new());
        let (mut taken, mut dropped) = (0, Vec::new());
        self.for_each_row(|row| {
            if !wanted.matches(row) {
                return Ok(());
            }
            if row.misses(&wanted.whole) {
                dropped.push(row.index);
                return Ok(());
            }
            taken += 1;
            for column in columns {
                points.push(row.number(*column, text)?);
            }
            for feature in features {
                context.push(feature.value(row, text)?);
            }
            known.iter().try_for_each(|known| known.check(self, row))
        })?;
        match (taken, dropped.len()) {
            (0, 0) => return Err(self.error(self.no_match(&wanted.filters)?)),
            (0, dropped) => return Err(self.error(Problem::NoneWhole { dropped })),
            _ => {}
        }
        let names = columns.iter().map(|column| self.names[*column].clone());
        let feature_labels = features.iter().map(|feature| self.label(feature));
        let data = Dataset {
            name: name_of(self.source.path()),
            points: matrix(taken, points),
            context: matrix(taken, context),
            labels: names.chain(feature_labels).collect(),
        };
        Ok(Selected { data, dropped })
    }
}

/// The numbers of `rows` rows as a matrix, in place.
fn matrix(rows: usize, mut numbers: Vec<f32>) -> Array2<f32> {
    // A vector that grew may have up to twice the room it needs.
    numbers.shrink_to_fit();
    let columns = numbers.len() / rows;
    Array2::from_shape_vec((rows, columns), numbers).expect("each row has its numbers")
}
