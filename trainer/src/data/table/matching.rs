//! The columns of a table that a trained model reads.

use super::collection::{Selected, Wanted};
use super::features::Feature;
use super::filter::Filter;
use super::problem::listed;
use super::{Place, Problem, Table};
use crate::Error;
use crate::data::Dataset;

impl Table {
    /// All rows, with the columns a model was trained on.
    ///
    /// Columns are found by the model's `labels`, whatever else the table has; a context label
    /// `COLUMN=VALUE` that is no column's name is 1 where `COLUMN` holds `VALUE`, else 0. Where
    /// the model has no labels or the table no names, the columns are the `dim` numbers of a point
    /// and then the `context_dim` numbers of its context, and no others; or those numbered `x0`, `x1`
    /// and so on that the labels name, as they do where the model was trained on such a table.
    ///
    /// # Shapes
    ///
    /// `labels`: `dim + context_dim`, or none.
    ///
    /// # Errors
    ///
    /// [`Error::Table`] where columns are missing, where without names their number is not the
    /// model's, and where a cell is not a finite number or a category of the model.
    pub fn matching(
        &self,
        labels: &[&str],
        dim: usize,
        context_dim: usize,
    ) -> Result<Dataset, Error> {
        self.matching_where(&[], labels, dim, context_dim)
    }

    /// As [`matching`](Self::matching), with only the rows where each of `filters`, a column and a
    /// value, holds. Where columns go by their place, those of the filters may stand beside them.
    ///
    /// # Errors
    ///
    /// As [`matching`](Self::matching), and where no row is left.
    pub fn matching_where(
        &self,
        filters: &[(String, String)],
        labels: &[&str],
        dim: usize,
        context_dim: usize,
    ) -> Result<Dataset, Error> {
        Ok(self
            .select_matching(filters, labels, dim, context_dim)?
            .data)
    }

    /// As [`matching_where`](Self::matching_where), and which rows were dropped.
    ///
    /// # Errors
    ///
    /// As [`matching_where`](Self::matching_where).
    pub fn select_matching(
        &self,
        filters: &[(String, String)],
        labels: &[&str],
        dim: usize,
        context_dim: usize,
    ) -> Result<Selected, Error> {
        let problem = |problem| self.error(problem);
        let filters = self.filters(filters).map_err(problem)?;
        let features = if labels.len() != dim + context_dim {
            self.by_position(&filters, dim, context_dim)
        } else if self.named {
            self.by_label(labels, dim)
        } else {
            self.by_number(&filters, labels, dim)
        };
        let (columns, features) = features.map_err(problem)?;
        let context = features.iter().map(Feature::column);
        let wanted = Wanted::new(self, filters, columns.iter().copied().chain(context));
        self.collect(&wanted, &columns, &features, text)
    }

    fn by_label(&self, labels: &[&str], dim: usize) -> Result<(Vec<usize>, Vec<Feature>), Problem> {
        let (names, context_labels) = labels.split_at(dim);
        let names = names.iter().copied();
        let context_labels = context_labels.iter().copied();
        let unknown_names = names.clone().filter(|name| self.column(name).is_none());
        let unknown_context = context_labels
            .clone()
            .filter(|label| self.feature(label).is_none());
        let missing: Vec<&str> = unknown_names.chain(unknown_context).collect();
        if !missing.is_empty() {
            return Err(Problem::MissingColumns {
                missing: listed(&missing),
                found: listed(&self.names),
            });
        }
        let columns = names.filter_map(|name| self.column(name)).collect();
        let features = context_labels
            .filter_map(|label| self.feature(label))
            .collect();
        Ok((columns, features))
    }

    /// In a table without names: by position, unless the labels are the numbers that such a table's columns
    /// go by, and there are more of these or categories among them, which are not columns of their own.
    fn by_number(
        &self,
        filters: &[Filter],
        labels: &[&str],
        dim: usize,
    ) -> Result<(Vec<usize>, Vec<Feature>), Problem> {
        let is_category = |feature: &Feature| matches!(feature, Feature::Category(..));
        let by_label = self.by_label(labels, dim);
        match &by_label {
            Ok((_, features)) if self.lacks_header() && features.iter().any(is_category) => {
                by_label
            }
            _ => self
                .by_position(filters, dim, labels.len() - dim)
                .or_else(|count| by_label.map_err(|_| count)),
        }
    }

    /// The context number of that label.
    fn feature(&self, label: &str) -> Option<Feature> {
        if let Some(column) = self.column(label) {
            return Some(Feature::Number(column));
        }
        // A column's name may itself have an equals sign.
        label.match_indices('=').find_map(|(i, _)| {
            let category = label[i + 1..].to_string();
            let column = self.column(&label[..i])?;
            Some(Feature::Category(column, category))
        })
    }

    fn by_position(
        &self,
        filters: &[Filter],
        dim: usize,
        context_dim: usize,
    ) -> Result<(Vec<usize>, Vec<Feature>), Problem> {
        let found = self.names.len();
        let mut columns = if found == dim + context_dim {
            (0..found).collect()
        } else {
            self.columns_beside(filters, &[])
        };
        if columns.len() != dim + context_dim {
            return Err(Problem::ColumnCount {
                found,
                dim,
                context_dim,
            });
        }
        let context = columns.split_off(dim);
        Ok((columns, context.into_iter().map(Feature::Number).collect()))
    }
}

fn text(place: Place, cell: String) -> Problem {
    Problem::TextForModel { place, cell }
}

#[cfg(test)]
mod tests {
    use super::super::{table_of, write_csv};
    use super::*;
    use ndarray::{Array2, array};
    use ndarray_npy::WriteNpyExt;

    const LABELS: [&str; 5] = ["x", "y", "speed", "kind=a", "kind=b"];

    fn matched(
        name: &str,
        content: impl AsRef<[u8]>,
        labels: &[&str],
        dims: (usize, usize),
    ) -> Result<Dataset, String> {
        let table = table_of(name, content).unwrap();
        table.matching(labels, dims.0, dims.1).map_err(|error| {
            let message = error.to_string();
            message.strip_prefix(&format!("{name}: ")).unwrap().into()
        })
    }

    fn npy(array: Array2<f32>) -> Vec<u8> {
        let mut bytes = Vec::new();
        array.write_npy(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn columns_are_found_by_label_in_any_order() {
        let text = "id,kind,y,speed,x\nq,b,2,7,1\nr,a,4,8,3\n";
        let data = matched("new.csv", text, &LABELS, (2, 3)).unwrap();
        assert_eq!(data.points, array![[1.0, 2.0], [3.0, 4.0]]);
        assert_eq!(data.context, array![[7.0, 0.0, 1.0], [8.0, 1.0, 0.0]]);
        assert_eq!(data.labels, LABELS);
        assert_eq!(data.name, "new");
    }

    #[test]
    fn samples_written_with_their_labels_are_read_back() {
        let rows = array![[1.0, 2.0, 7.0, 0.0, 1.0]];
        let mut text = Vec::new();
        write_csv(&mut text, &LABELS.map(String::from), rows.view()).unwrap();
        let data = matched("samples.csv", &text, &LABELS, (2, 3)).unwrap();
        assert_eq!(data.points, array![[1.0, 2.0]]);
        assert_eq!(data.context, array![[7.0, 0.0, 1.0]]);
        assert_eq!(data.labels, LABELS);
    }

    #[test]
    fn category_column_may_have_an_equals_sign() {
        let labels = ["x", "a=b=c"];
        let data = matched("new.csv", "x,a=b\n1,c\n", &labels, (1, 1)).unwrap();
        assert_eq!(data.context, array![[1.0]]);
    }

    #[test]
    fn without_names_columns_go_by_position() {
        let bytes = npy(array![[1.0, 2.0, 3.0]]);
        let data = matched("new.npy", &bytes, &["a", "b", "c"], (2, 1)).unwrap();
        assert_eq!(data.points, array![[1.0, 2.0]]);
        assert_eq!(data.context, array![[3.0]]);
    }

    #[test]
    fn without_labels_columns_go_by_position() {
        let data = matched("new.csv", "u,v,w\n1,2,3\n", &[], (2, 1)).unwrap();
        assert_eq!(data.points, array![[1.0, 2.0]]);
        assert_eq!(data.context, array![[3.0]]);
    }

    #[test]
    fn filters_may_stand_beside_columns_by_position() {
        let table = table_of("new.csv", "kind,u,v,w\na,1,2,3\nb,4,5,6\n").unwrap();
        let filtered = |name: &str, value: &str, context_dim| {
            let filters = [(name.to_owned(), value.to_owned())];
            table.matching_where(&filters, &[], 2, context_dim)
        };
        let data = filtered("kind", "b", 1).unwrap();
        assert_eq!(data.points, array![[4.0, 5.0]]);
        assert_eq!(data.context, array![[6.0]]);
        let message = filtered("kind", "b", 0).unwrap_err().to_string();
        assert!(message.contains("there are 4 columns"), "{message}");
        // A column of the model's own stays.
        let table = table_of("new.csv", "u,v,w\n1,2,3\n4,5,6\n").unwrap();
        let filters = [("w".to_owned(), "6".to_owned())];
        let data = table.matching_where(&filters, &[], 2, 1).unwrap();
        assert_eq!(data.context, array![[6.0]]);
    }

    #[test]
    fn numbered_columns_are_found_in_the_table_that_they_are_of() {
        let text = "1,2,3,a\n4,5,6,b\n";
        let labels = ["x2", "x0", "x3=a", "x3=b"];
        let table = table_of("new.csv", text).unwrap();
        let data = table.matching(&labels[..3], 2, 1);
        // Line 2 has the other category.
        assert!(data.unwrap_err().to_string().contains("no category \"b\""));
        let filters = [("3".to_owned(), "b".to_owned())];
        let data = table.matching_where(&filters, &labels, 2, 2).unwrap();
        assert_eq!(data.points, array![[6.0, 4.0]]);
        assert_eq!(data.context, array![[0.0, 1.0]]);
        let bytes = npy(array![[1.0, 2.0, 3.0]]);
        let data = matched("new.npy", bytes, &labels[..2], (2, 0)).unwrap();
        assert_eq!(data.points, array![[3.0, 1.0]]);
    }

    #[test]
    fn by_position_the_count_is_exact() {
        let expected = "there are 3 columns where the model takes 2, then 0 of context: \
                        give just those, in this order";
        let message = matched("new.csv", "u,v,w\n1,2,3\n", &[], (2, 0)).unwrap_err();
        assert_eq!(message, expected);
        let bytes = npy(array![[1.0, 2.0, 3.0]]);
        let message = matched("new.npy", bytes, &["x", "y"], (2, 0)).unwrap_err();
        assert_eq!(message, expected);
    }

    #[test]
    fn missing_columns_are_all_named() {
        let message = matched("new.csv", "x,speed\n1,2\n", &LABELS, (2, 3)).unwrap_err();
        let expected = "the model reads y, kind=a, kind=b, which the table lacks: \
                        its columns are x, speed";
        assert_eq!(message, expected);
    }

    #[test]
    fn unseen_category_is_named_with_its_place() {
        let text = "x,y,speed,kind\n1,2,3,a\n1,2,3,c\n";
        let message = matched("new.csv", text, &LABELS, (2, 3)).unwrap_err();
        let expected = "line 3, column kind: the model has no category \"c\": it knows a, b";
        assert_eq!(message, expected);
    }

    #[test]
    fn text_in_a_number_column_is_named_with_its_place() {
        let message = matched("new.csv", "x,y\n1,b\n", &["x", "y"], (2, 0)).unwrap_err();
        let expected = "line 2, column y: \"b\" is not a number, \
                        and the model takes numbers there: correct the cell";
        assert_eq!(message, expected);
    }
}
