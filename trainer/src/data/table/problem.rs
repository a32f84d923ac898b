//! What can be wrong with a table.

use std::fmt;

/// What is wrong with a table, where in it, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The path leads to a directory.
    #[error("this is a directory: give a CSV or NPY file")]
    Directory,
    /// The file's ending is none of those known.
    #[error(
        "the file's ending is not known: give a .csv, .tsv or .npy file, or - for standard input"
    )]
    UnknownEnding,
    /// The file has no content.
    #[error("the file is empty: give a line of column names and then rows of numbers")]
    Empty,
    /// There are columns, but no rows.
    #[error("there are columns, but no rows: give one row a point")]
    NoRows,
    /// The bytes are not UTF-8.
    #[error("line {line} is not UTF-8 text: save the table as UTF-8")]
    NotUtf8 {
        /// Counted from 1.
        line: usize,
    },
    /// A column's name is empty, as in a table that was written with its index.
    #[error("column {number} has no name: name it, or write the table without its index")]
    UnnamedColumn {
        /// Counted from 1.
        number: usize,
    },
    /// Two columns have one name.
    #[error("two columns are called {name}: rename one")]
    RepeatedName {
        /// Their name.
        name: String,
    },
    /// A row is longer or shorter than the first.
    #[error(
        "line {line} has {found} cells where line {first} has {expected}: \
         give one a column, and write decimals with a point"
    )]
    Ragged {
        /// Counted from 1.
        line: usize,
        /// Cells there.
        found: usize,
        /// The file's first line that is not blank, counted from 1.
        first: usize,
        /// Cells there.
        expected: usize,
    },
    /// An NPY file is damaged, or none.
    #[error("this cannot be read as NPY ({reason}): write it anew with numpy.save")]
    UnreadableNpy {
        /// What the reader found.
        reason: String,
    },
    /// An NPY file holds something else than numbers of 8 to 64 bits.
    #[error("the array holds {descriptor}: save float32, float64 or integers")]
    ElementType {
        /// NumPy's descriptor.
        descriptor: String,
    },
    /// An NPY file is not a matrix.
    #[error("the array has shape {shape:?}: save one of shape [n, columns]")]
    Shape {
        /// The shape found.
        shape: Vec<usize>,
    },
    /// A cell that should be a number is text.
    #[error(
        "{place}: {cell:?} is not a number: choose columns of numbers with --columns, \
         or give categories with --context {}", place.column
    )]
    Text {
        /// Where.
        place: Place,
        /// What is there.
        cell: String,
    },
    /// A cell that a trained model reads as a number is text.
    #[error(
        "{place}: {cell:?} is not a number, and the model takes numbers there: correct the cell"
    )]
    TextForModel {
        /// Where.
        place: Place,
        /// What is there.
        cell: String,
    },
    /// A number is written with a decimal comma.
    #[error("{place}: {cell:?} has a decimal comma: write the table with decimal points")]
    DecimalComma {
        /// Where.
        place: Place,
        /// What is there.
        cell: String,
    },
    /// A context column holds both text and, further down, numbers.
    #[error("{place}: {cell} is a number, but the column has text too: rename its categories")]
    NumberAmongCategories {
        /// Where.
        place: Place,
        /// What is there.
        cell: String,
    },
    /// A context column holds both numbers and, further down, text.
    #[error(
        "{place}: {cell:?} is not a number, but the column has numbers too: rename its categories"
    )]
    MixedContext {
        /// Where.
        place: Place,
        /// What is there.
        cell: String,
    },
    /// A cell has no value: it is empty, NaN or a word that says so.
    #[error(
        "{place}: the value is missing, there is {cell:?}: \
         fill it in, or leave such rows out with --drop-missing"
    )]
    Missing {
        /// Where.
        place: Place,
        /// What is there.
        cell: String,
    },
    /// All rows have a missing value.
    #[error(
        "none of the {dropped} rows has all its values: \
         leave columns out with --columns, or fill the values in"
    )]
    NoneWhole {
        /// Rows that were left out.
        dropped: usize,
    },
    /// A cell is infinite.
    #[error("{place}: {cell:?} is not a finite number: correct the cell or remove its row")]
    NotFinite {
        /// Where.
        place: Place,
        /// What is there.
        cell: String,
    },
    /// A number does not fit `f32`.
    #[error("{place}: {cell} is beyond f32, which ends at 3.4e38: scale the column")]
    OutOfRange {
        /// Where.
        place: Place,
        /// What is there.
        cell: String,
    },
    /// A category that the model was not trained on.
    #[error("{place}: the model has no category {cell:?}: it knows {known}")]
    UnknownCategory {
        /// Where.
        place: Place,
        /// What is there.
        cell: String,
        /// The model's categories.
        known: String,
    },
    /// A column was asked for that is not there.
    #[error("there is no column {name}: the columns are {found}")]
    UnknownColumn {
        /// The name asked for.
        name: String,
        /// The names there are.
        found: String,
    },
    /// A range of columns runs backwards.
    #[error("column {first} comes after {last}: write the range as {last}..{first}")]
    ReversedRange {
        /// Where the range starts.
        first: String,
        /// Where it ends.
        last: String,
    },
    /// One column was asked for twice, among the columns, the contexts or both.
    #[error("column {name} is chosen twice: name it once in --columns or --context")]
    ChosenTwice {
        /// Its name.
        name: String,
    },
    /// Filters and contexts leave no column to fit.
    #[error("no column is left to fit: choose some with --columns out of {found}")]
    NoColumns {
        /// The names there are.
        found: String,
    },
    /// No row fulfils the filters.
    #[error("no row has {filters}: {column} is {found}")]
    NoMatch {
        /// The filters up to the one that left nothing.
        filters: String,
        /// The column of that filter.
        column: String,
        /// What that column holds where the filters before it match.
        found: String,
    },
    /// There are more dimensions than a model can have.
    #[error("{found} columns are too many, a model takes {limit}: choose fewer with --columns")]
    TooManyColumns {
        /// Columns chosen.
        found: usize,
        /// The most a model takes.
        limit: usize,
    },
    /// There are more context numbers than a model can have.
    #[error(
        "{found} context numbers are too many, a model takes {limit}: \
         give fewer columns to --context or merge categories"
    )]
    TooMuchContext {
        /// Numbers that the context columns make up, each category counted.
        found: usize,
        /// The most a model takes.
        limit: usize,
    },
    /// Columns are missing that the model reads.
    #[error("the model reads {missing}, which the table lacks: its columns are {found}")]
    MissingColumns {
        /// What is missing.
        missing: String,
        /// The names there are.
        found: String,
    },
    /// Without names, the number of columns has to be the model's.
    #[error(
        "there are {found} columns where the model takes {dim}, then {context_dim} of context: \
         give just those, in this order"
    )]
    ColumnCount {
        /// Columns there are.
        found: usize,
        /// The model's dimensions.
        dim: usize,
        /// The model's context numbers.
        context_dim: usize,
    },
}

/// Where a cell stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// "line" of a CSV file, counted from 1, or "row" of an NPY file, counted from 0.
    pub unit: &'static str,
    /// Which line or row.
    pub number: usize,
    /// The column's name.
    pub column: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}, column {}", self.unit, self.number, self.column)
    }
}

/// A list for a message: its first items, and how many more there are.
pub(super) fn listed<S: AsRef<str>>(items: &[S]) -> String {
    const MOST: usize = 20;
    let shown: Vec<&str> = items.iter().take(MOST).map(AsRef::as_ref).collect();
    let shown = shown.join(", ");
    match items.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
