//! What a run of an example is asked for.

use core::{fmt, num::NonZeroU16};

/// The arguments of a run: `SAMPLES SEED STEPS [CONTEXT …]`.
///
/// `STEPS` is 0 for the model's own number. A context value is the bits of an `f32` in hexadecimal,
/// so that it arrives as it was sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Request<const CONTEXT_DIM: usize> {
    /// How many samples to draw.
    pub sample_count: u32,
    /// Seed of the random source.
    pub seed: u64,
    /// Steps a sample, where it is not the model's own number.
    pub step_count: Option<NonZeroU16>,
    /// What each sample is conditioned on.
    pub context: [f32; CONTEXT_DIM],
}

impl<const CONTEXT_DIM: usize> Request<CONTEXT_DIM> {
    /// Reads the arguments, the program's name not among them.
    ///
    /// # Errors
    ///
    /// The first argument that is missing, is no number of its kind, or is one too many.
    pub fn parse<'a>(
        arguments: &mut (dyn Iterator<Item = &'a str> + '_),
    ) -> Result<Self, RequestError> {
        let mut next = |name| arguments.next().ok_or(RequestError::Missing { name });
        let sample_count = whole_number("SAMPLES", next("SAMPLES")?)?;
        let seed = whole_number("SEED", next("SEED")?)?;
        let step_count: u16 = whole_number("STEPS", next("STEPS")?)?;
        let mut context = [0.0; CONTEXT_DIM];
        for value in &mut context {
            *value = bits("CONTEXT", next("CONTEXT")?)?;
        }
        match arguments.next() {
            None => Ok(Self {
                sample_count,
                seed,
                step_count: NonZeroU16::new(step_count),
                context,
            }),
            Some(_) => Err(RequestError::TooMany {
                context_dim: CONTEXT_DIM,
            }),
        }
    }
}

fn whole_number<T: core::str::FromStr>(name: &'static str, text: &str) -> Result<T, RequestError> {
    text.parse().map_err(|_| RequestError::NotWhole { name })
}

fn bits(name: &'static str, text: &str) -> Result<f32, RequestError> {
    let bits = u32::from_str_radix(text, 16).map_err(|_| RequestError::NotBits { name })?;
    let value = f32::from_bits(bits);
    value
        .is_finite()
        .then_some(value)
        .ok_or(RequestError::NotFinite { name })
}

/// Why a request cannot be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// There are fewer arguments than asked for.
    Missing {
        /// The first one missing.
        name: &'static str,
    },
    /// An argument is no whole number, or too large.
    NotWhole {
        /// Its name.
        name: &'static str,
    },
    /// An argument is not the bits of an `f32`.
    NotBits {
        /// Its name.
        name: &'static str,
    },
    /// An argument is NaN or infinite.
    NotFinite {
        /// Its name.
        name: &'static str,
    },
    /// There are more arguments than the model has use for.
    TooMany {
        /// How many context values the model takes.
        context_dim: usize,
    },
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name } => write!(f, "the argument {name} is missing")?,
            Self::NotWhole { name } => write!(f, "{name} is no whole number in its range")?,
            Self::NotBits { name } => {
                write!(f, "a {name} value is not the bits of an f32 in hexadecimal")?
            }
            Self::NotFinite { name } => write!(f, "a {name} value is NaN or infinite")?,
            Self::TooMany { context_dim } => {
                write!(f, "there are more than {context_dim} context values")?;
            }
        }
        f.write_str(": give SAMPLES SEED STEPS [CONTEXT …]")
    }
}

impl core::error::Error for RequestError {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    fn parse<const CONTEXT_DIM: usize>(line: &str) -> Result<Request<CONTEXT_DIM>, RequestError> {
        Request::parse(&mut line.split_whitespace())
    }

    #[test]
    fn all_arguments_arrive() {
        let expected = Request {
            sample_count: 12,
            seed: u64::MAX,
            step_count: NonZeroU16::new(50),
            context: [1.0, -0.1],
        };
        let line = "12 18446744073709551615 50 3f800000 bdcccccd";
        assert_eq!(parse(line), Ok(expected));
    }

    #[test]
    fn no_steps_are_the_models_own() {
        assert_eq!(parse::<0>("1 2 0").unwrap().step_count, None);
    }

    #[test]
    fn each_wrong_argument_is_named() {
        let message = |line| parse::<1>(line).unwrap_err().to_string();
        for (line, named) in [
            ("", "SAMPLES is missing"),
            ("1", "SEED is missing"),
            ("1 2", "STEPS is missing"),
            ("1 2 3", "CONTEXT is missing"),
            ("-1 2 3 0", "SAMPLES is no whole number"),
            ("1 2.5 3 0", "SEED is no whole number"),
            ("1 2 65536 0", "STEPS is no whole number"),
            ("1 2 3 1.5", "CONTEXT value is not the bits"),
            ("1 2 3 7fc00000", "CONTEXT value is NaN"),
            ("1 2 3 ff800000", "CONTEXT value is NaN or infinite"),
            ("1 2 3 0 0", "more than 1 context"),
        ] {
            assert!(message(line).contains(named), "{line:?}: {}", message(line));
        }
    }
}
