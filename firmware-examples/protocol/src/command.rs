//! What the computer asks for, a line each.

use core::fmt;
use core::num::NonZeroU16;
use core::str::FromStr;

use flowlet::format::MAX_CONTEXT_DIM;

use crate::float;

/// What can be asked for, in a line.
///
/// No example does all: `feed` and `restart` are for the detector, samples for the others.
pub const HELP: &str = "model | sample N [seed=S] [steps=K] [context=X,Y,…] [as=text|frames] | digest N […] | \
     feed X,Y,… [as=…] | restart | help";

/// What a line asks for.
///
/// `Display` writes the line that is read back to the same command.
///
/// ```
/// use flowlet_protocol::{Command, Draw};
///
/// let command: Command = "sample 100 seed=7".parse()?;
/// let draw = Draw { seed: Some(7), ..Draw::new(100) };
/// assert_eq!(command, Command::Sample(draw));
/// assert_eq!(command.to_string(), "sample 100 seed=7");
/// # Ok::<(), flowlet_protocol::CommandError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[allow(
    clippy::large_enum_variant,
    reason = "a board has no heap to put one on"
)]
pub enum Command {
    /// What the model is.
    Model,
    /// Samples, and their log-probabilities where the model has them.
    Sample(Draw),
    /// One number that stands for all bits of the samples and log-probabilities.
    Digest(Draw),
    /// What a sensor measured.
    Feed(Measured),
    /// What a sensor measures next belongs to another recording.
    Restart(Form),
    /// What can be asked for.
    Help,
}

/// One number of each channel of a sensor, and how the answer comes.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The numbers, finite; written as those of a [context](Draw::context).
    pub values: heapless::Vec<f32, MAX_CONTEXT_DIM>,
    /// How the answer comes.
    pub form: Form,
}

/// Which samples, and how they are told.
#[derive(Clone, Debug, PartialEq)]
pub struct Draw {
    /// How many.
    pub count: u32,
    /// Seed of the noise. Without one it comes from the chip's own random source, or where the board
    /// has none, from the seed 0.
    pub seed: Option<u64>,
    /// Euler steps, where not the model's own number.
    pub step_count: Option<NonZeroU16>,
    /// What each sample is conditioned on; finite. In a line as decimals of up to seven digits, such
    /// as `-0.25`, or to the bit as `#` and eight hexadecimal digits, such as `#be800000`.
    pub context: heapless::Vec<f32, MAX_CONTEXT_DIM>,
    /// How the answer comes.
    pub form: Form,
}

/// How an answer comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// As lines.
    #[default]
    Text,
    /// As frames.
    Frames,
}

impl Draw {
    /// `count` samples without a seed and a context, with the model's own number of steps, as text.
    pub const fn new(count: u32) -> Self {
        Self {
            count,
            seed: None,
            step_count: None,
            context: heapless::Vec::new(),
            form: Form::Text,
        }
    }

    /// Reads what follows the command's name.
    fn parse<'a>(words: &mut impl Iterator<Item = &'a str>) -> Result<Self, CommandError> {
        let count = words.next().ok_or(CommandError::NoCount)?;
        let mut draw = Self::new(number(count, "N")?);
        let mut seen = [false; OPTIONS.len()];
        for word in words {
            let (name, value) = word.split_once('=').ok_or(CommandError::NoOption)?;
            let option = OPTIONS.iter().zip(&mut seen).find(|(o, _)| o.name == name);
            let (option, seen) = option.ok_or(CommandError::NoOption)?;
            if core::mem::replace(seen, true) {
                return Err(CommandError::Twice { name: option.name });
            }
            (option.set)(&mut draw, value)?;
        }
        Ok(draw)
    }
}

/// What may follow the number of samples, as `NAME=VALUE`.
struct DrawOption {
    name: &'static str,
    set: fn(&mut Draw, &str) -> Result<(), CommandError>,
}

static OPTIONS: [DrawOption; 4] = [
    DrawOption {
        name: "seed",
        set: |draw, value| {
            draw.seed = Some(number(value, "seed")?);
            Ok(())
        },
    },
    DrawOption {
        name: "steps",
        set: |draw, value| {
            draw.step_count = Some(number(value, "steps")?);
            Ok(())
        },
    },
    DrawOption {
        name: "context",
        set: set_context,
    },
    DrawOption {
        name: "as",
        set: |draw, value| {
            draw.form = form(value)?;
            Ok(())
        },
    },
];

fn set_context(draw: &mut Draw, text: &str) -> Result<(), CommandError> {
    draw.context = values(text, "context")?;
    Ok(())
}

impl Form {
    /// Reads the only option of a command.
    fn parse<'a>(words: &mut impl Iterator<Item = &'a str>) -> Result<Self, CommandError> {
        words.next().map_or(Ok(Self::Text), |word| {
            form(word.strip_prefix("as=").ok_or(CommandError::NoOption)?)
        })
    }
}

fn form(text: &str) -> Result<Form, CommandError> {
    match text {
        "text" => Ok(Form::Text),
        "frames" => Ok(Form::Frames),
        _ => Err(CommandError::NoForm),
    }
}

fn values(
    text: &str,
    name: &'static str,
) -> Result<heapless::Vec<f32, MAX_CONTEXT_DIM>, CommandError> {
    let mut values = heapless::Vec::new();
    for value in text.split(',') {
        let value = float::parse(value).ok_or(CommandError::NotAFloat { name })?;
        let pushed = values.push(value);
        pushed.map_err(|_| CommandError::TooManyValues { name })?;
    }
    Ok(values)
}

impl Measured {
    /// Reads what follows the command's name.
    fn parse<'a>(words: &mut impl Iterator<Item = &'a str>) -> Result<Self, CommandError> {
        let text = words.next().ok_or(CommandError::NoValues)?;
        Ok(Self {
            values: values(text, "feed")?,
            form: Form::parse(words)?,
        })
    }
}

fn number<T: FromStr>(text: &str, name: &'static str) -> Result<T, CommandError> {
    text.parse().map_err(|_| CommandError::NotANumber { name })
}

impl FromStr for Command {
    type Err = CommandError;

    fn from_str(line: &str) -> Result<Self, CommandError> {
        let mut words = line.split_ascii_whitespace();
        let command = match words.next() {
            Some("model") => Self::Model,
            Some("sample") => Self::Sample(Draw::parse(&mut words)?),
            Some("digest") => Self::Digest(Draw::parse(&mut words)?),
            Some("feed") => Self::Feed(Measured::parse(&mut words)?),
            Some("restart") => Self::Restart(Form::parse(&mut words)?),
            Some("help") => Self::Help,
            _ => return Err(CommandError::Unknown),
        };
        match words.next() {
            None => Ok(command),
            Some(_) => Err(CommandError::TooMany),
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model => f.write_str("model"),
            Self::Sample(draw) => write!(f, "sample {draw}"),
            Self::Digest(draw) => write!(f, "digest {draw}"),
            Self::Feed(measured) => write!(f, "feed{measured}"),
            Self::Restart(form) => write!(f, "restart{form}"),
            Self::Help => f.write_str("help"),
        }
    }
}

impl fmt::Display for Draw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.count)?;
        if let Some(seed) = self.seed {
            write!(f, " seed={seed}")?;
        }
        if let Some(step_count) = self.step_count {
            write!(f, " steps={step_count}")?;
        }
        if !self.context.is_empty() {
            f.write_str(" context=")?;
            write_values(f, &self.context)?;
        }
        self.form.fmt(f)
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(" ")?;
        write_values(f, &self.values)?;
        self.form.fmt(f)
    }
}

impl fmt::Display for Form {
    /// As an option, with what parts it from what is before; nothing for the form that needs none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => Ok(()),
            Self::Frames => f.write_str(" as=frames"),
        }
    }
}

/// Writes numbers to the bit, with commas between them.
fn write_values(f: &mut fmt::Formatter<'_>, values: &[f32]) -> fmt::Result {
    for (i, value) in values.iter().enumerate() {
        let lead = if i == 0 { "#" } else { ",#" };
        write!(f, "{lead}{:08x}", value.to_bits())?;
    }
    Ok(())
}

/// Why a line is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum CommandError {
    /// It begins with no command's name.
    Unknown,
    /// The number of samples is missing.
    NoCount,
    /// A value is no number, or none in the range.
    NotANumber {
        /// Which.
        name: &'static str,
    },
    /// A value is no number, infinite, or one of more digits than are read: see [`Draw::context`].
    NotAFloat {
        /// Which.
        name: &'static str,
    },
    /// What follows the number of samples is no option.
    NoOption,
    /// An option is given twice.
    Twice {
        /// Which.
        name: &'static str,
    },
    /// There are more numbers than any model takes.
    TooManyValues {
        /// Of which.
        name: &'static str,
    },
    /// What was measured is missing.
    NoValues,
    /// Answers have no such form.
    NoForm,
    /// Something follows where nothing may.
    TooMany,
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("there is no such command")?,
            Self::NoCount => f.write_str("the number of samples is missing")?,
            Self::NotANumber { name } => write!(f, "{name} is not a number in its range")?,
            Self::NotAFloat { name } => write!(
                f,
                "{name} takes numbers of up to 7 digits, or # and 8 hexadecimal ones"
            )?,
            Self::NoOption => f.write_str("there is no such option")?,
            Self::Twice { name } => write!(f, "{name} is given twice")?,
            Self::TooManyValues { name } => {
                write!(f, "{name} takes at most {MAX_CONTEXT_DIM} numbers")?;
            }
            Self::NoValues => f.write_str("the numbers are missing")?,
            Self::NoForm => f.write_str("answers come as text or as frames")?,
            Self::TooMany => f.write_str("something follows the command")?,
        }
        write!(f, ": type {HELP}")
    }
}

impl core::error::Error for CommandError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Answer, LineReader, MAX_LINE_LEN};
    use std::string::ToString;
    use std::{format, vec::Vec};

    fn parse(line: &str) -> Result<Command, CommandError> {
        line.parse()
    }

    #[test]
    fn all_options_arrive_in_any_order() {
        let draw = Draw {
            count: 12,
            seed: Some(u64::MAX),
            step_count: NonZeroU16::new(50),
            context: heapless::Vec::from_slice(&[1.0, -0.1]).unwrap(),
            form: Form::Frames,
        };
        let line = "sample 12 as=frames context=1,-0.1 steps=50 seed=18446744073709551615";
        assert_eq!(parse(line), Ok(Command::Sample(draw.clone())));
        let line =
            "  digest 12 seed=18446744073709551615 steps=50 context=#3f800000,#bdcccccd as=frames ";
        assert_eq!(parse(line), Ok(Command::Digest(draw)));
        assert_eq!(parse("sample 1 seed=0"), parse("sample 1 seed=00"));
        assert_ne!(parse("sample 1 seed=0"), parse("sample 1"));
        assert_eq!(parse("model"), Ok(Command::Model));
        assert_eq!(parse("help"), Ok(Command::Help));
        assert_eq!(parse("restart"), Ok(Command::Restart(Form::Text)));
        let measured = Measured {
            values: heapless::Vec::from_slice(&[0.25, -1.0]).unwrap(),
            form: Form::Frames,
        };
        assert_eq!(
            parse("feed 0.25,#bf800000 as=frames"),
            Ok(Command::Feed(measured))
        );
    }

    #[test]
    fn a_command_is_read_back_to_the_bit() {
        let numbers = [f32::MIN_POSITIVE, -1e-45, -0.0, f32::MAX, 0.1, 16_777_217.0];
        let draw = Draw {
            count: u32::MAX,
            seed: Some(u64::MAX),
            step_count: NonZeroU16::new(u16::MAX),
            context: numbers.iter().copied().cycle().take(32).collect(),
            form: Form::Frames,
        };
        let line = Command::Sample(draw.clone()).to_string();
        assert!(line.len() <= MAX_LINE_LEN, "{} bytes", line.len());
        let Ok(Command::Sample(read)) = parse(&line) else {
            panic!("{line}");
        };
        let bits = |draw: &Draw| draw.context.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&read), bits(&draw));
        assert_eq!(read, draw);
    }

    #[test]
    fn each_hostile_line_is_refused_for_its_reason() {
        let long = format!("sample 1 context={}", ["1"; 33].join(","));
        let long_feed = long.replace("sample 1 context=", "feed ");
        for (line, error) in [
            ("", CommandError::Unknown),
            ("sampl 1", CommandError::Unknown),
            ("SAMPLE 1", CommandError::Unknown),
            ("sample", CommandError::NoCount),
            ("sample -1", CommandError::NotANumber { name: "N" }),
            ("sample 4294967296", CommandError::NotANumber { name: "N" }),
            ("sample 1 seed=", CommandError::NotANumber { name: "seed" }),
            (
                "sample 1 seed=2.5",
                CommandError::NotANumber { name: "seed" },
            ),
            (
                "sample 1 steps=0",
                CommandError::NotANumber { name: "steps" },
            ),
            (
                "sample 1 steps=65536",
                CommandError::NotANumber { name: "steps" },
            ),
            (
                "sample 1 context=1,",
                CommandError::NotAFloat { name: "context" },
            ),
            (
                "sample 1 context=nan",
                CommandError::NotAFloat { name: "context" },
            ),
            (
                "sample 1 context=1e39",
                CommandError::NotAFloat { name: "context" },
            ),
            (&long, CommandError::TooManyValues { name: "context" }),
            ("feed", CommandError::NoValues),
            ("feed 1,x", CommandError::NotAFloat { name: "feed" }),
            (&long_feed, CommandError::TooManyValues { name: "feed" }),
            ("feed 1 seed=2", CommandError::NoOption),
            ("feed 1 as=json", CommandError::NoForm),
            ("feed 1 as=text 2", CommandError::TooMany),
            ("restart 1", CommandError::NoOption),
            ("sample 1 as=json", CommandError::NoForm),
            ("sample 1 seed", CommandError::NoOption),
            ("sample 1 seeds=1", CommandError::NoOption),
            (
                "sample 1 seed=1 seed=1",
                CommandError::Twice { name: "seed" },
            ),
            ("model 1", CommandError::TooMany),
            ("help me", CommandError::TooMany),
        ] {
            assert_eq!(parse(line), Err(error), "{line:?}");
            assert!(error.to_string().ends_with(HELP));
            let told = Answer::error(&error);
            assert!(
                matches!(&told, Answer::Error(message) if message.ends_with(HELP)),
                "{told:?} is cut"
            );
        }
    }

    /// What a line may be made of, and what it may not.
    const PIECES: [&[u8]; 26] = [
        b"sample",
        b"digest",
        b"model",
        b"help",
        b"feed",
        b"restart",
        b" ",
        b" ",
        b" ",
        b"\n",
        b"\r",
        b"seed=",
        b"steps=",
        b"context=",
        b"as=",
        b"text",
        b"frames",
        b"1",
        b"18446744073709551616",
        b"-0.5",
        b",",
        b"#3f800000",
        b"=",
        b"\xFF",
        b"\0",
        "µ".as_bytes(),
    ];

    #[test]
    fn what_is_read_of_any_bytes_is_read_again_from_what_it_is_written_as() {
        let mut reader = LineReader::new();
        let (mut state, mut read) = (1u32, 0);
        for _ in 0..400_000 {
            // Numerical Recipes' generator; its high bits are the better ones.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            for byte in PIECES[(state >> 16) as usize % PIECES.len()] {
                if !reader.push(*byte) {
                    continue;
                }
                let Ok(Ok(command)) = reader.line().map(parse) else {
                    continue;
                };
                assert_eq!(parse(&command.to_string()), Ok(command));
                read += 1;
            }
        }
        assert!(read > 100, "{read} commands are too few to tell");
    }
}
