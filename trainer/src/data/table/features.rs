//! The numbers that make up a context.

use std::collections::BTreeSet;

use flowlet::format::MAX_CONTEXT_DIM;

use super::cell::Reading;
use super::collection::Wanted;
use super::problem::listed;
use super::rows::Row;
use super::{Place, Problem, Table};
use crate::Error;

/// One number of a context.
#[derive(Clone, Debug)]
pub(super) enum Feature {
    /// The number in that column.
    Number(usize),
    /// 1 where that column holds that category, else 0.
    Category(usize, String),
}

impl Feature {
    pub(super) fn column(&self) -> usize {
        match self {
            Self::Number(column) | Self::Category(column, _) => *column,
        }
    }

    pub(super) fn value(
        &self,
        row: Row<'_>,
        text: fn(Place, String) -> Problem,
    ) -> Result<f32, Error> {
        match self {
            Self::Number(column) => row.number(*column, text),
            Self::Category(column, category) => {
                Ok(f32::from(row.cell(*column).text() == *category))
            }
        }
    }
}

impl Table {
    /// The numbers that the context columns make up in the wanted rows: those of a column of text
    /// are its categories in alphabetical order.
    pub(super) fn features(
        &self,
        columns: &[usize],
        wanted: &Wanted,
    ) -> Result<Vec<Feature>, Error> {
        let mut contents = vec![Content::Unknown; columns.len()];
        if !columns.is_empty() {
            self.for_each_row(|row| {
                if !wanted.takes(row) {
                    return Ok(());
                }
                let mut pairs = columns.iter().zip(&mut contents);
                pairs.try_for_each(|(column, content)| content.add(row, *column))
            })?;
        }
        let pairs = columns.iter().zip(contents);
        let features: Vec<Feature> = pairs
            .flat_map(|(column, content)| content.features(*column))
            .collect();
        match features.len() {
            found if found > MAX_CONTEXT_DIM => Err(self.error(Problem::TooMuchContext {
                found,
                limit: MAX_CONTEXT_DIM,
            })),
            _ => Ok(features),
        }
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
}

/// What a context column has shown so far.
#[derive(Clone, Debug)]
enum Content {
    Unknown,
    Numbers,
    Categories(BTreeSet<String>),
}

impl Content {
    fn add(&mut self, row: Row<'_>, column: usize) -> Result<(), Error> {
        match (row.cell(column).reading(), &mut *self) {
            (Reading::Text, Self::Numbers) => {
                Err(row.error(column, |place, cell| Problem::MixedContext { place, cell }))
            }
            (Reading::Text, Self::Unknown) => {
                let category = row.cell(column).text().into_owned();
                *self = Self::Categories(BTreeSet::from([category]));
                Ok(())
            }
            (Reading::Text, Self::Categories(categories)) => {
                let category = row.cell(column).text();
                if !categories.contains(&*category) {
                    categories.insert(category.into_owned());
                }
                Ok(())
            }
            (Reading::Finite(_) | Reading::OutOfRange, Self::Categories(_)) => Err(row.error(
                column,
                |place, cell| Problem::NumberAmongCategories { place, cell },
            )),
            (Reading::Finite(_) | Reading::OutOfRange, _) => {
                *self = Self::Numbers;
                Ok(())
            }
            (reading, _) => Err(row.unusable(column, reading)),
        }
    }

    fn features(self, column: usize) -> Vec<Feature> {
        let category = |category| Feature::Category(column, category);
        match self {
            Self::Categories(categories) => categories.into_iter().map(category).collect(),
            Self::Numbers | Self::Unknown => vec![Feature::Number(column)],
        }
    }
}

/// The categories that the features know of a column.
#[derive(Debug)]
pub(super) struct Known<'a> {
    column: usize,
    categories: Vec<&'a str>,
}

impl<'a> Known<'a> {
    /// Of each column that holds categories.
    pub(super) fn of(features: &'a [Feature]) -> Vec<Self> {
        let mut columns: Vec<Self> = Vec::new();
        for feature in features {
            let Feature::Category(column, category) = feature else {
                continue;
            };
            match columns.iter_mut().find(|known| known.column == *column) {
                Some(known) => known.categories.push(category),
                None => columns.push(Self {
                    column: *column,
                    categories: vec![category],
                }),
            }
        }
        columns
    }

    /// That the row has one of them.
    pub(super) fn check(&self, table: &Table, row: Row<'_>) -> Result<(), Error> {
        if self.categories.contains(&&*row.cell(self.column).text()) {
            return Ok(());
        }
        Err(table.error(Problem::UnknownCategory {
            place: row.place(self.column)?,
            cell: row.cell(self.column).shown(),
            known: listed(&self.categories),
        }))
    }
}
