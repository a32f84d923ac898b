//! Errors as C has them: a number and a sentence.

use core::ffi::CStr;

use flowlet::Error;

/// Why a call came to nothing.
#[allow(non_camel_case_types, reason = "a name of C")]
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum flowlet_error {
    /// Nothing is wrong.
    FLOWLET_OK = 0,
    /// A pointer is null.
    FLOWLET_NULL = 1,
    /// A pointer is not aligned to what it points to; a model file, not to four bytes.
    FLOWLET_MISALIGNED = 2,
    /// No model has been loaded there.
    FLOWLET_NO_MODEL = 3,
    /// The bytes are no model file.
    FLOWLET_NOT_A_MODEL = 4,
    /// The file is of a version that this library does not read.
    FLOWLET_VERSION = 5,
    /// The file is shorter or longer than it should be.
    FLOWLET_LENGTH = 6,
    /// The file is damaged.
    FLOWLET_CHECKSUM = 7,
    /// The file's content is none that a writer writes.
    FLOWLET_MALFORMED = 8,
    /// The nets are f32, which this library was built without.
    FLOWLET_F32 = 9,
    /// The model is a velocity field (flow matching), which has no log-probability.
    FLOWLET_NOT_REAL_NVP = 10,
    /// The point has another number of dimensions than the model.
    FLOWLET_DIM = 11,
    /// The context has another length than the model takes.
    FLOWLET_CONTEXT = 12,
    /// The scratch has fewer words than the model needs.
    FLOWLET_SCRATCH = 13,
    /// The model has no threshold: calibrate it.
    FLOWLET_NOT_CALIBRATED = 14,
    /// A length is beyond what memory holds behind its pointer.
    FLOWLET_TOO_LONG = 15,
}

use flowlet_error::*;

impl flowlet_error {
    const ALL: [Self; 16] = [
        FLOWLET_OK,
        FLOWLET_NULL,
        FLOWLET_MISALIGNED,
        FLOWLET_NO_MODEL,
        FLOWLET_NOT_A_MODEL,
        FLOWLET_VERSION,
        FLOWLET_LENGTH,
        FLOWLET_CHECKSUM,
        FLOWLET_MALFORMED,
        FLOWLET_F32,
        FLOWLET_NOT_REAL_NVP,
        FLOWLET_DIM,
        FLOWLET_CONTEXT,
        FLOWLET_SCRATCH,
        FLOWLET_NOT_CALIBRATED,
        FLOWLET_TOO_LONG,
    ];

    /// The error of this number.
    pub(crate) fn of(code: i32) -> Option<Self> {
        usize::try_from(code)
            .ok()
            .and_then(|code| Self::ALL.get(code).copied())
    }

    pub(crate) const fn sentence(self) -> &'static CStr {
        match self {
            FLOWLET_OK => c"nothing is wrong",
            FLOWLET_NULL => c"a pointer is null",
            FLOWLET_MISALIGNED => {
                c"a pointer is not aligned to what it points to; a model file has to begin on a word boundary"
            }
            FLOWLET_NO_MODEL => c"no model has been loaded there: call flowlet_init first",
            FLOWLET_NOT_A_MODEL => c"this is not a flowlet model file",
            FLOWLET_VERSION => c"the model file has a version that this library does not read",
            FLOWLET_LENGTH => c"the model file is shorter or longer than it should be",
            FLOWLET_CHECKSUM => c"the model file is damaged: its checksum is wrong",
            FLOWLET_MALFORMED => c"the model file's content is malformed",
            FLOWLET_F32 => {
                c"the model's nets are f32, which this library was built without: quantize the model"
            }
            FLOWLET_NOT_REAL_NVP => {
                c"the model is a velocity field (flow matching), which gives no log-probability"
            }
            FLOWLET_DIM => c"the point has another number of dimensions than the model",
            FLOWLET_CONTEXT => c"the context has another length than the model takes",
            FLOWLET_SCRATCH => c"the scratch has fewer words than the model needs",
            FLOWLET_NOT_CALIBRATED => c"the model has no threshold: see flowlet calibrate",
            FLOWLET_TOO_LONG => c"a length is beyond what memory holds behind its pointer",
        }
    }
}

impl From<Error> for flowlet_error {
    fn from(error: Error) -> Self {
        match error {
            Error::NotAModel => FLOWLET_NOT_A_MODEL,
            Error::Version { .. } => FLOWLET_VERSION,
            Error::Truncated { .. } | Error::TooLong { .. } => FLOWLET_LENGTH,
            Error::Misaligned => FLOWLET_MISALIGNED,
            Error::Checksum { .. } => FLOWLET_CHECKSUM,
            Error::F32 => FLOWLET_F32,
            Error::NotRealNvp => FLOWLET_NOT_REAL_NVP,
            Error::Dim { .. } => FLOWLET_DIM,
            Error::Context { .. } => FLOWLET_CONTEXT,
            Error::Scratch { .. } => FLOWLET_SCRATCH,
            // All else that can be wrong is wrong with the file.
            _ => FLOWLET_MALFORMED,
        }
    }
}

impl From<Result<(), flowlet_error>> for flowlet_error {
    fn from(result: Result<(), flowlet_error>) -> Self {
        result.err().unwrap_or(FLOWLET_OK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_that_of_its_error() {
        for (i, error) in flowlet_error::ALL.into_iter().enumerate() {
            assert_eq!(error as usize, i);
            assert_eq!(flowlet_error::of(i as i32), Some(error));
        }
        assert_eq!(flowlet_error::of(-1), None);
        assert_eq!(flowlet_error::of(16), None);
    }
}
