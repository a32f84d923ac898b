//! Everything that can go wrong between data and model file.

use std::path::{Path, PathBuf};

use crate::board::BoardError;
use crate::board::update::UpdateError;
use crate::data::table::Problem;
use crate::fit::Culprit;

/// What was wrong, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// "read", "write" or the like.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A table cannot be used.
    #[error("{}: {problem}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: Problem,
    },
    /// There are too few points to fit and validate a model.
    #[error("too few rows to fit a flow: {rows}, give {minimum} or more")]
    TooFewRows {
        /// Rows found.
        rows: usize,
        /// Rows needed.
        minimum: usize,
    },
    /// There are too few rows to choose a threshold by.
    #[error(
        "too few rows for {false_alarms} false alarms: {rows}, give {minimum} or more, or allow a \
         larger share"
    )]
    FewToCalibrate {
        /// Rows found.
        rows: usize,
        /// The share of false alarms.
        false_alarms: f64,
        /// Rows needed.
        minimum: usize,
    },
    /// So many rows have no finite log-probability that the threshold would have none.
    #[error(
        "{rank} of the rows or more have no finite log-probability, so no threshold parts them from \
         others: leave them out, or allow a larger share of false alarms"
    )]
    NoThreshold {
        /// Rows below the threshold, itself included.
        rank: usize,
    },
    /// A column has one value only, so it cannot be standardized and has no density.
    #[error("column {column} is constant at {value}: leave it out with --columns")]
    ConstantColumn {
        /// The column's label.
        column: String,
        /// Its one value.
        value: f32,
    },
    /// Several columns have one value only each.
    #[error("columns {columns} are constant: leave them out with --columns")]
    ConstantColumns {
        /// Their labels, each with its one value.
        columns: String,
    },
    /// An option of training makes no sense.
    #[error("the {option} is {found}: it must be {expected}")]
    Option {
        /// What it sets.
        option: &'static str,
        /// Its value.
        found: String,
        /// What it must be.
        expected: &'static str,
    },
    /// The loss became NaN or infinite, from the best weights too, and at ever lower rates.
    #[error("the loss is {loss} at step {step}; {culprit}")]
    Diverged {
        /// The step.
        step: usize,
        /// The loss there.
        loss: f64,
        /// Where it comes from, and what to do.
        culprit: Culprit,
    },
    /// A number to train on is NaN or infinite.
    #[error("column {column} is {value} in row {row}: drop such rows")]
    NotFinite {
        /// The column's label.
        column: String,
        /// The row of the data, from 1.
        row: usize,
        /// The number.
        value: f32,
    },
    /// A model file could not be loaded.
    #[error("cannot use {}", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// What the runtime has against it.
        source: flowlet::Error,
    },
    /// The nets of a model file are integers already.
    #[error(
        "the nets of {} are int8 already: quantize the f32 file that it was made from, or train with --precision f32 to have one",
        path.display()
    )]
    Quantized {
        /// The file.
        path: PathBuf,
    },
    /// A model was given what does not fit it.
    #[error(transparent)]
    Runtime(#[from] flowlet::Error),
    /// A flow is larger than the format allows.
    #[error("the flow's {what} is {found}, a model file holds 1 to {max}")]
    Limit {
        /// What it is the size of.
        what: &'static str,
        /// The size.
        found: usize,
        /// The format's limit.
        max: usize,
    },
    /// The nets of a flow differ, or do not fit its dimensions.
    #[error(
        "net {net} of the flow has the shape {found} where {expected} is expected: all nets need the same hidden layers and activation"
    )]
    Unequal {
        /// Which net, from 0.
        net: usize,
        /// Its sizes.
        found: String,
        /// The sizes that fit the flow's dimensions and its first net.
        expected: String,
    },
    /// The numbers of a flow do not fit its sizes.
    #[error("the flow has {found} {what} where {expected} are expected")]
    Count {
        /// What there is too much or too little of.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many fit.
        expected: usize,
    },
    /// A flow has no nets.
    #[error("the flow has no nets")]
    NoNets,
    /// A flow-matching model has no steps.
    #[error("a flow-matching model needs at least one Euler step")]
    NoSteps,
    /// A safetensors file does not hold a flow.
    #[error("{} {problem}", path.display())]
    Import {
        /// The file.
        path: PathBuf,
        /// What it lacks, and what to do.
        problem: String,
    },
    /// A checkpoint cannot be resumed.
    #[error("{} {problem}", path.display())]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// A model could not be run on a board.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// A board has not taken a new model.
    #[error(transparent)]
    Update(#[from] UpdateError),
}

impl Error {
    pub(crate) fn cannot_read(path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            action: "read",
            path: path.into(),
            source,
        }
    }

    pub(crate) fn table(path: &Path, problem: Problem) -> Self {
        Self::Table {
            path: path.into(),
            problem,
        }
    }
}
