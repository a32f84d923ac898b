//! Everything that can be wrong with a model file or with the sizes around it.

use core::fmt;

use crate::format::VERSION;

/// Why a model could not be loaded or used.
///
/// ```
/// use flowlet::{Error, Model};
///
/// let error = Model::from_bytes(b"PNG").unwrap_err();
/// assert_eq!(error, Error::NotAModel);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// The bytes do not begin like a model file.
    NotAModel,
    /// The file has a version that this crate does not read.
    Version {
        /// The file's version.
        found: u8,
    },
    /// The file ends before it should.
    Truncated {
        /// Bytes that the file should have.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// There are bytes after the end of the file.
    TooLong {
        /// Bytes that the file has.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// The bytes do not begin on a word boundary.
    Misaligned,
    /// The checksum does not match: bytes have changed.
    Checksum {
        /// The checksum that the file names.
        expected: u32,
        /// The checksum of its bytes.
        found: u32,
    },
    /// The checksum matches, but the content is not what any writer of this version writes.
    Malformed,
    /// A size or number lies outside the format's limits.
    Limit {
        /// What it is the size of.
        what: &'static str,
        /// The size.
        found: usize,
        /// The largest allowed; the smallest is 0 for the context, else 1.
        max: usize,
    },
    /// The bound on `s` is not in (0, 80].
    ScaleClip,
    /// A standard deviation is not positive.
    Std,
    /// The Cholesky factor has a number on its diagonal that is not positive.
    Factor,
    /// A number of the transform or of a net is infinite or NaN.
    NotFinite,
    /// The nets are `f32`, which this build leaves out.
    F32,
    /// A sum in an integer net could leave 32 bits.
    Overflow,
    /// The number of labels is neither 0 nor that of columns and context numbers.
    Labels {
        /// Columns and context numbers.
        expected: usize,
        /// Labels.
        found: usize,
    },
    /// The weights do not fill the space that the description gives them.
    Weights {
        /// Bytes by the description.
        expected: usize,
        /// Bytes there are.
        found: usize,
    },
    /// A RealNVP was asked for, but the model is a velocity field.
    NotRealNvp,
    /// A velocity field was asked for, but the model is a RealNVP.
    NotVelocityField,
    /// A point has another number of dimensions than the model.
    Dim {
        /// The model's.
        expected: usize,
        /// The point's.
        found: usize,
    },
    /// A context has another length than the model's.
    Context {
        /// The model's.
        expected: usize,
        /// The one given.
        found: usize,
    },
    /// A table of a batch has more or fewer numbers than its points ask for.
    Batch {
        /// Numbers that the points ask for.
        expected: usize,
        /// Numbers there are.
        found: usize,
    },
    /// The scratch is too small.
    Scratch {
        /// Words needed.
        expected: usize,
        /// Words there are.
        found: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NotAModel => f.write_str("this is not a flowlet model file"),
            Self::Version { found } => write!(
                f,
                "the model file has version {found}, this flowlet reads version {VERSION}: use another flowlet, or write the model again"
            ),
            Self::Truncated { expected, found } => write!(
                f,
                "the model file is cut short: {found} of {expected} bytes are there"
            ),
            Self::TooLong { expected, found } => write!(
                f,
                "the model file should end after {expected} bytes but has {found}"
            ),
            Self::Misaligned => {
                f.write_str("the model is not on a word boundary: include it with include_model!")
            }
            Self::Checksum { expected, found } => write!(
                f,
                "the model file is damaged: its checksum is {found:08x} and should be {expected:08x}"
            ),
            Self::Malformed => f.write_str("the model file's content is malformed"),
            Self::Limit { what, found, max } => {
                write!(f, "the model's {what} is {found}, allowed are at most {max}")?;
                f.write_str(if found == 0 { " and at least 1" } else { "" })
            }
            Self::ScaleClip => f.write_str("the model's bound on s is not in (0, 80]"),
            Self::Std => f.write_str("a standard deviation of the model is not positive"),
            Self::Factor => f.write_str(
                "the diagonal of the model's Cholesky factor is not positive throughout",
            ),
            Self::NotFinite => f.write_str("a number of the model is infinite or NaN"),
            Self::F32 => f.write_str(
                "the model's nets are f32, which this build of flowlet leaves out: quantize the model, or build with the feature `f32`",
            ),
            Self::Overflow => f.write_str("a sum in a net of the model could leave 32 bits"),
            Self::Labels { expected, found } => write!(
                f,
                "the model has {found} labels for {expected} columns and context numbers"
            ),
            Self::Weights { expected, found } => write!(
                f,
                "the model's weights take {found} bytes and should take {expected}"
            ),
            Self::NotRealNvp => f.write_str(
                "the model is a velocity field (flow matching), which gives no log-probability: use a RealNVP",
            ),
            Self::NotVelocityField => {
                f.write_str("the model is a RealNVP, which has no velocity: use flow matching")
            }
            Self::Dim { expected, found } => write!(
                f,
                "the model has {expected} dimensions, the point has {found}"
            ),
            Self::Context { expected, found } => write!(
                f,
                "the model takes {expected} context numbers, {found} are given"
            ),
            Self::Batch { expected, found } => write!(
                f,
                "a table of the batch should have {expected} numbers but has {found}"
            ),
            Self::Scratch { expected, found } => write!(
                f,
                "the model needs a scratch of {expected} words, this one has {found}"
            ),
        }
    }
}

impl core::error::Error for Error {}
