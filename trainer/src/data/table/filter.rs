//! Rows by the values that they have.

use std::collections::{BTreeSet, HashSet};

use super::cell::Cell;
use super::problem::listed;
use super::rows::Row;
use super::{Problem, Table};
use crate::Error;

/// That a column has a value, as text or as a number.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) column: usize,
    value: String,
    number: Option<f64>,
}

impl Filter {
    pub(super) fn holds(&self, row: Row<'_>) -> bool {
        match row.cell(self.column) {
            Cell::Text(text) => {
                text == self.value
                    || self.number.is_some() && text.parse::<f64>().ok() == self.number
            }
            Cell::Number(cell) => self.number == Some(cell),
        }
    }
}

impl Table {
    /// The filters `COLUMN=VALUE`.
    pub(super) fn filters(&self, filters: &[(String, String)]) -> Result<Vec<Filter>, Problem> {
        let filter = |(name, value): &(String, String)| {
            let value = value.trim();
            Ok(Filter {
                column: self.known_column(name)?,
                value: value.into(),
                number: value.parse().ok(),
            })
        };
        filters.iter().map(filter).collect()
    }

    /// What to say where no row fulfils all filters: which of them is the first that leaves none,
    /// and what there is in its place.
    pub(super) fn no_match(&self, filters: &[Filter]) -> Result<Problem, Error> {
        let mut most = 0;
        let mut found = BTreeSet::new();
        self.for_each_row(|row| {
            let held = filters
                .iter()
                .take_while(|filter| filter.holds(row))
                .count();
            if held > most {
                most = held;
                found.clear();
            }
            if let Some(filter) = filters.get(held).filter(|_| held == most) {
                found.insert(row.cell(filter.column).shown());
            }
            Ok(())
        })?;
        let last = most.min(filters.len() - 1);
        let terms: Vec<String> = filters[..=last]
            .iter()
            .map(|filter| format!("{}={}", self.names[filter.column], filter.value))
            .collect();
        Ok(Problem::NoMatch {
            filters: terms.join(" and "),
            column: self.names[filters[last].column].clone(),
            found: listed(&Vec::from_iter(found)),
        })
    }

    /// All columns that are neither filtered nor `context`.
    pub(super) fn columns_beside(&self, filters: &[Filter], context: &[usize]) -> Vec<usize> {
        let taken: HashSet<usize> = filters.iter().map(|filter| filter.column).collect();
        let remains = |column: &usize| !taken.contains(column) && !context.contains(column);
        (0..self.names.len()).filter(remains).collect()
    }
}
