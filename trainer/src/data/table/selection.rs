//! Which rows and columns of a table a flow is fitted to.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use flowlet::format::MAX_DIM;

use super::collection::{Selected, Wanted};
use super::filter::Filter;
use super::problem::listed;
use super::{Place, Problem, Table};
use crate::Error;
use crate::data::Dataset;

/// What to take from a table.
///
/// A column is named by its name, or by its index from 0 where the file has no names. A range
/// `FIRST..LAST` takes both ends and all between them in the file's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Columns and ranges to fit; if none, all that are neither filtered nor context.
    pub columns: Vec<String>,
    /// Columns, each with the value that it must have, as text or as a number.
    pub filters: Vec<(String, String)>,
    /// Columns and ranges to condition on.
    pub context: Vec<String>,
}

/// A selection, its columns by index.
struct Choice {
    filters: Vec<Filter>,
    columns: Vec<usize>,
    context: Vec<usize>,
}

impl Table {
    /// The selected rows and columns as numbers.
    ///
    /// A context column of text gives one number for each of its categories in alphabetical
    /// order: 1 where the row has it, else 0.
    ///
    /// # Errors
    ///
    /// [`Error::Table`] where the selection names what is not there, leaves nothing, passes the
    /// 64 dimensions or 32 context numbers of a model, or meets a cell that is not a finite number;
    /// [`Error::Io`].
    ///
    /// # Cost
    ///
    /// One pass over the file, and one before it where there is a context. Of memory the numbers
    /// taken, and up to as much again while they come in.
    pub fn select(&self, selection: &Selection) -> Result<Selected, Error> {
        let choice = self.choose(selection);
        let choice = choice.map_err(|problem| self.error(problem))?;
        let used = choice.columns.iter().chain(&choice.context).copied();
        let wanted = Wanted::new(self, choice.filters, used);
        let features = self.features(&choice.context, &wanted)?;
        self.collect(&wanted, &choice.columns, &features, text)
    }

    /// As [`select`](Self::select), without a word about rows that were dropped.
    ///
    /// # Errors
    ///
    /// As [`select`](Self::select).
    pub fn dataset(&self, selection: &Selection) -> Result<Dataset, Error> {
        Ok(self.select(selection)?.data)
    }

    /// The columns that a selection names.
    fn choose(&self, selection: &Selection) -> Result<Choice, Problem> {
        let filters = self.filters(&selection.filters)?;
        let context = self.columns(&selection.context)?;
        let columns = if selection.columns.is_empty() {
            self.remaining_columns(&filters, &context)?
        } else {
            self.columns(&selection.columns)?
        };
        self.check_chosen_once(columns.iter().chain(&context))?;
        check_dim(columns.len())?;
        Ok(Choice {
            filters,
            columns,
            context,
        })
    }

    /// The columns that names and ranges stand for, in the order given.
    fn columns(&self, terms: &[String]) -> Result<Vec<usize>, Problem> {
        let mut columns = Vec::new();
        for term in terms {
            columns.extend(self.term(term.trim())?);
        }
        Ok(columns)
    }

    fn term(&self, term: &str) -> Result<RangeInclusive<usize>, Problem> {
        match (self.column(term), term.split_once("..")) {
            (None, Some((first, last))) => self.range(first, last),
            _ => self.known_column(term).map(|column| column..=column),
        }
    }

    fn range(&self, first: &str, last: &str) -> Result<RangeInclusive<usize>, Problem> {
        let (start, end) = (self.known_column(first)?, self.known_column(last)?);
        if start <= end {
            Ok(start..=end)
        } else {
            Err(Problem::ReversedRange {
                first: first.into(),
                last: last.into(),
            })
        }
    }

    pub(super) fn known_column(&self, name: &str) -> Result<usize, Problem> {
        self.column(name).ok_or_else(|| Problem::UnknownColumn {
            name: name.into(),
            found: listed(&self.names),
        })
    }

    /// The columns that are neither filtered nor context, of which there must be some.
    fn remaining_columns(
        &self,
        filters: &[Filter],
        context: &[usize],
    ) -> Result<Vec<usize>, Problem> {
        let columns = self.columns_beside(filters, context);
        if columns.is_empty() {
            let found = listed(&self.names);
            return Err(Problem::NoColumns { found });
        }
        Ok(columns)
    }

    fn check_chosen_once<'a>(
        &self,
        mut columns: impl Iterator<Item = &'a usize>,
    ) -> Result<(), Problem> {
        let mut seen = HashSet::new();
        match columns.find(|column| !seen.insert(**column)) {
            None => Ok(()),
            Some(column) => Err(Problem::ChosenTwice {
                name: self.names[*column].clone(),
            }),
        }
    }
}

fn check_dim(found: usize) -> Result<(), Problem> {
    if found <= MAX_DIM {
        Ok(())
    } else {
        Err(Problem::TooManyColumns {
            found,
            limit: MAX_DIM,
        })
    }
}

fn text(place: Place, cell: String) -> Problem {
    Problem::Text { place, cell }
}

#[cfg(test)]
mod tests {
    use super::super::table_of;
    use super::*;
    use ndarray::{Array2, array};

    const IMU: &str = "ax,ay,gx,gy,activity\n\
                       1,2,3,4,walking\n\
                       5,6,7,8,sitting\n\
                       9,10,11,12, walking\n";

    fn selection(columns: &[&str], filters: &[(&str, &str)], context: &[&str]) -> Selection {
        let owned = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        let filter = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        Selection {
            columns: owned(columns),
            filters: filters.iter().map(filter).collect(),
            context: owned(context),
        }
    }

    fn select(text: &str, selection: &Selection) -> Result<Dataset, String> {
        let table = table_of("imu.csv", text).unwrap();
        table.dataset(selection).map_err(|error| {
            let message = error.to_string();
            message.strip_prefix("imu.csv: ").unwrap().into()
        })
    }

    #[test]
    fn dataset_is_called_as_its_file() {
        let data = select("x,y\n1,2\n", &Selection::default()).unwrap();
        assert_eq!(data.name, "imu");
    }

    #[test]
    fn all_columns_but_the_filtered_and_the_context_are_fitted() {
        let chosen = selection(&[], &[("activity", "walking")], &["gy"]);
        let data = select(IMU, &chosen).unwrap();
        assert_eq!(data.points, array![[1.0, 2.0, 3.0], [9.0, 10.0, 11.0]]);
        assert_eq!(data.context, array![[4.0], [12.0]]);
        assert_eq!(data.labels, ["ax", "ay", "gx", "gy"]);
    }

    #[test]
    fn range_takes_both_ends() {
        let data = select(IMU, &selection(&["ay..gy"], &[], &[])).unwrap();
        assert_eq!(data.labels, ["ay", "gx", "gy"]);
        assert_eq!(data.points.row(1), array![6.0, 7.0, 8.0]);
    }

    #[test]
    fn columns_come_in_the_order_given() {
        let data = select(IMU, &selection(&["gx", "ax..ay"], &[], &[])).unwrap();
        assert_eq!(data.labels, ["gx", "ax", "ay"]);
        assert_eq!(data.points.row(0), array![3.0, 1.0, 2.0]);
    }

    #[test]
    fn name_with_two_points_is_no_range() {
        let data = select("a..b,c\n1,2\n", &selection(&["a..b"], &[], &[])).unwrap();
        assert_eq!(data.labels, ["a..b"]);
    }

    #[test]
    fn all_filters_hold_and_numbers_are_compared_as_such() {
        let text = "x,trial,kind\n1,2.0,a\n2,2,b\n3,3,a\n4,2,a\n";
        let chosen = selection(&[], &[("trial", "2"), ("kind", " a ")], &[]);
        assert_eq!(select(text, &chosen).unwrap().points, array![[1.0], [4.0]]);
    }

    #[test]
    fn categories_become_one_hot_in_alphabetical_order() {
        let data = select(IMU, &selection(&["ax"], &[], &["activity", "gy"])).unwrap();
        let labels = ["ax", "activity=sitting", "activity=walking", "gy"];
        assert_eq!(data.labels, labels);
        let expected = array![[0.0, 1.0, 4.0], [1.0, 0.0, 8.0], [0.0, 1.0, 12.0]];
        assert_eq!(data.context, expected);
    }

    #[test]
    fn without_context_there_are_no_context_columns() {
        let data = select(IMU, &selection(&["ax"], &[], &[])).unwrap();
        assert_eq!(data.context, Array2::<f32>::zeros((3, 0)));
    }

    #[test]
    fn one_row_is_a_dataset() {
        assert_eq!(
            select("x\n1\n", &Selection::default()).unwrap().points,
            array![[1.0]]
        );
    }

    #[test]
    fn unusable_cell_is_named_with_its_place() {
        let cases = [
            (
                "x,kind\n1,walking\n",
                "line 2, column kind: \"walking\" is not a number: choose columns of numbers \
                 with --columns, or give categories with --context kind",
            ),
            (
                "x,y\n1,2\n3,\n",
                "line 3, column y: the value is missing, there is \"\": \
                 fill it in, or leave such rows out with --drop-missing",
            ),
            (
                "x,y\n1,2\nNA,3\n",
                "line 3, column x: the value is missing, there is \"NA\": \
                 fill it in, or leave such rows out with --drop-missing",
            ),
            (
                "x\n-inf\n",
                "line 2, column x: \"-inf\" is not a finite number: \
                 correct the cell or remove its row",
            ),
            (
                "x;y\n1;2\n2;1,5\n",
                "line 3, column y: \"1,5\" has a decimal comma: \
                 write the table with decimal points",
            ),
            (
                "x\n1e39\n",
                "line 2, column x: 1e39 is beyond f32, which ends at 3.4e38: scale the column",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(select(text, &Selection::default()).unwrap_err(), expected);
        }
    }

    #[test]
    fn unusable_context_cell_is_named_with_its_place() {
        let cases = [
            (
                "x,kind\n1,a\n2,nan\n",
                "line 3, column kind: the value is missing, there is \"nan\": \
                 fill it in, or leave such rows out with --drop-missing",
            ),
            (
                "x,kind\n1,1\n2,a\n",
                "line 3, column kind: \"a\" is not a number, but the column has numbers too: \
                 rename its categories",
            ),
            (
                "x,kind\n1,a\n2,1\n",
                "line 3, column kind: 1 is a number, but the column has text too: \
                 rename its categories",
            ),
            (
                "x,kind\n1,1\n2,1e39\n",
                "line 3, column kind: 1e39 is beyond f32, which ends at 3.4e38: scale the column",
            ),
        ];
        for (text, expected) in cases {
            let chosen = selection(&[], &[], &["kind"]);
            assert_eq!(select(text, &chosen).unwrap_err(), expected);
        }
    }

    #[test]
    fn impossible_selection_is_refused_with_a_way_out() {
        let cases = [
            (
                selection(&["az"], &[], &[]),
                "there is no column az: the columns are ax, ay, gx, gy, activity",
            ),
            (
                selection(&["ax..gz"], &[], &[]),
                "there is no column gz: the columns are ax, ay, gx, gy, activity",
            ),
            (
                selection(&["0"], &[], &[]),
                "there is no column 0: the columns are ax, ay, gx, gy, activity",
            ),
            (
                selection(&[], &[("Activity", "walking")], &[]),
                "there is no column Activity: the columns are ax, ay, gx, gy, activity",
            ),
            (
                selection(&["gy..ax"], &[], &[]),
                "column gy comes after ax: write the range as ax..gy",
            ),
            (
                selection(&["ax..gy", "gx"], &[], &[]),
                "column gx is chosen twice: name it once in --columns or --context",
            ),
            (
                selection(&["ax"], &[], &["ax"]),
                "column ax is chosen twice: name it once in --columns or --context",
            ),
            (
                selection(&[], &[("activity", "walking")], &["ax..gy"]),
                "no column is left to fit: choose some with --columns out of \
                 ax, ay, gx, gy, activity",
            ),
            (
                selection(&["ax"], &[("activity", "flying")], &[]),
                "no row has activity=flying: activity is sitting, walking",
            ),
            (
                selection(&["ax"], &[("activity", "walking"), ("gy", "8")], &[]),
                "no row has activity=walking and gy=8: gy is 12, 4",
            ),
        ];
        for (chosen, expected) in cases {
            assert_eq!(select(IMU, &chosen).unwrap_err(), expected);
        }
    }

    #[test]
    fn rows_with_missing_values_are_dropped_if_asked_for() {
        let text = "x,y,kind,note\n1,2,a,\n,4,b,n\n5,6,NA,n\n7,?,c,n\n9,8,d,n\n";
        let table = table_of("imu.csv", text).unwrap().dropping_missing();
        let selected = table.select(&selection(&["x..y"], &[], &["kind"])).unwrap();
        // The missing note is not asked for; categories are those of the rows that are left.
        assert_eq!(selected.data.points, array![[1.0, 2.0], [9.0, 8.0]]);
        assert_eq!(selected.data.context, array![[1.0, 0.0], [0.0, 1.0]]);
        assert_eq!(selected.data.labels, ["x", "y", "kind=a", "kind=d"]);
        assert_eq!(selected.dropped, [1, 2, 3]);
        let filtered = selection(&["x..y"], &[("kind", "c")], &[]);
        let message = table.select(&filtered).unwrap_err().to_string();
        assert_eq!(
            message,
            "imu.csv: none of the 1 rows has all its values: \
             leave columns out with --columns, or fill the values in"
        );
    }

    /// A table of one row and `count` columns `c0`, `c1` and so on, each holding its index.
    fn wide(count: usize) -> String {
        let row = |cell: fn(usize) -> String| (0..count).map(cell).collect::<Vec<_>>().join(",");
        format!("{}\n{}\n", row(|i| format!("c{i}")), row(|i| i.to_string()))
    }

    #[test]
    fn limits_of_a_model_are_those_of_its_data() {
        assert!(select(&wide(64), &Selection::default()).is_ok());
        assert_eq!(
            select(&wide(65), &Selection::default()).unwrap_err(),
            "65 columns are too many, a model takes 64: choose fewer with --columns"
        );
        assert!(select(&wide(33), &selection(&[], &[], &["c1..c32"])).is_ok());
        assert_eq!(
            select(&wide(34), &selection(&[], &[], &["c1..c33"])).unwrap_err(),
            "33 context numbers are too many, a model takes 32: \
             give fewer columns to --context or merge categories"
        );
    }

    #[test]
    fn many_names_are_listed_in_part() {
        let message = select(&wide(64), &selection(&["x"], &[], &[])).unwrap_err();
        assert!(message.ends_with("c18, c19 and 44 more"), "{message}");
    }
}
