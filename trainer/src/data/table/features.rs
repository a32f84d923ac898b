//! From cells to the numbers a flow reads.

use std::collections::BTreeSet;

use ndarray::Array2;

use super::problem::{Place, listed};
use super::{Problem, Table};

/// One number of a context.
#[derive(Clone, Debug)]
pub(super) enum Feature {
    /// The number in that column.
    Number(usize),
    /// 1 where that column holds that category, else 0.
    Category(usize, String),
}

impl Table {
    /// The numbers in `columns`: `[rows, columns]`.
    pub(super) fn points(
        &self,
        rows: &[usize],
        columns: &[usize],
        text: fn(Place, String) -> Problem,
    ) -> Result<Array2<f32>, Problem> {
        let cell = |row, column| self.number(row, column, text);
        matrix(rows, columns, |row, column| cell(row, *column))
    }

    /// The context of `rows`: `[rows, features]`.
    pub(super) fn context(
        &self,
        rows: &[usize],
        features: &[Feature],
        text: fn(Place, String) -> Problem,
    ) -> Result<Array2<f32>, Problem> {
        let context = matrix(rows, features, |row, feature| match feature {
            Feature::Number(column) => self.number(row, *column, text),
            Feature::Category(column, category) => {
                Ok(f32::from(self.cell(row, *column).text() == *category))
            }
        })?;
        self.check_categories(rows, features)?;
        Ok(context)
    }

    /// What a context number is called.
    pub(super) fn label(&self, feature: &Feature) -> String {
        match feature {
            Feature::Number(column) => self.names[*column].clone(),
            Feature::Category(column, category) => {
                format!("{}={category}", self.names[*column])
            }
        }
    }

    /// Each row has one of the categories of each column.
    fn check_categories(&self, rows: &[usize], features: &[Feature]) -> Result<(), Problem> {
        for column in category_columns(features) {
            let known = categories(features, column);
            let is_known = |row: usize| known.contains(&&*self.cell(row, column).text());
            if let Some(row) = rows.iter().copied().find(|row| !is_known(*row)) {
                return Err(Problem::UnknownCategory {
                    place: self.place(row, column),
                    cell: self.cell(row, column).shown(),
                    known: listed(&known),
                });
            }
        }
        Ok(())
    }
}

/// The columns that hold categories, each once.
fn category_columns(features: &[Feature]) -> BTreeSet<usize> {
    let column = |feature: &Feature| match feature {
        Feature::Number(_) => None,
        Feature::Category(column, _) => Some(*column),
    };
    features.iter().filter_map(column).collect()
}

/// The categories of `column` among the features.
fn categories(features: &[Feature], column: usize) -> Vec<&str> {
    features
        .iter()
        .filter_map(|feature| match feature {
            Feature::Category(of, category) if *of == column => Some(category.as_str()),
            _ => None,
        })
        .collect()
}

/// A matrix with `number(row, item)` for every row and item.
fn matrix<T>(
    rows: &[usize],
    items: &[T],
    number: impl Fn(usize, &T) -> Result<f32, Problem>,
) -> Result<Array2<f32>, Problem> {
    let mut matrix = Array2::zeros((rows.len(), items.len()));
    for (mut line, &row) in matrix.rows_mut().into_iter().zip(rows) {
        for (cell, item) in line.iter_mut().zip(items) {
            *cell = number(row, item)?;
        }
    }
    Ok(matrix)
}
