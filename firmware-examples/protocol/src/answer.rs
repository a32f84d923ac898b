//! What the board says.

use core::fmt;

use flowlet::format::MAX_DIM;
use flowlet::{Kind, Model};
use serde::{Deserialize, Serialize};

use crate::command::HELP;
use crate::update::Reply;

/// Bytes of a message or a name, at most.
const MESSAGE_LEN: usize = 240;

/// Text that ends where it is too long.
pub type Message = heapless::String<MESSAGE_LEN>;

/// One thing that a board says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
#[allow(
    clippy::large_enum_variant,
    reason = "a board has no heap to put one on"
)]
pub enum Answer {
    /// What the model is.
    Model(Facts),
    /// A point, then its log-probability where the model has them.
    Sample {
        /// The point.
        x: heapless::Vec<f32, MAX_DIM>,
        /// `ln p(x)`.
        log_prob: Option<f32>,
    },
    /// All samples have been told.
    Done {
        /// How many.
        count: u32,
        /// What they took, without what telling them took.
        spent: Option<Spent>,
    },
    /// All bits of the samples in one number: FNV-1a over 32-bit words, those of a point, then that
    /// of its log-probability.
    Digest {
        /// The number.
        digest: u64,
        /// How many samples.
        count: u32,
        /// What they took.
        spent: Option<Spent>,
    },
    /// What a model takes on this board.
    Cost {
        /// Of one sample, on average.
        sample: Option<Spent>,
        /// Of one log-probability, on average, where the model has them.
        log_prob: Option<Spent>,
    },
    /// What can be asked for.
    Help(Message),
    /// Why there is no other answer.
    Error(Message),
    /// What was measured is kept; no window ends with it.
    Kept,
    /// A window has ended.
    Window {
        /// Its features.
        x: heapless::Vec<f32, MAX_DIM>,
        /// `ln p(x)`.
        log_prob: f32,
        /// Whether that is below the model's threshold.
        is_strange: bool,
        /// What the features and the log-probability took.
        spent: Option<Spent>,
    },
    /// To a request of an update: among the answers, so that none of them can be taken for a reply.
    Update(Reply),
}

/// What a model is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// What it is called; in one line.
    pub name: Message,
    /// RealNVP or flow matching.
    pub kind: Kind,
    /// Dimensions of a point.
    pub dim: u8,
    /// Numbers in a context.
    pub context_dim: u8,
    /// Bytes of the file.
    pub file_len: u32,
    /// The CRC-32 at the file's end, which tells it from others of its shape.
    pub checksum: u32,
    /// Multiply-adds of all nets together.
    pub mac_count: u32,
}

/// What work took, in what the board counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Spent {
    /// Cycles of the core.
    Cycles(u64),
    /// Instructions executed.
    Instructions(u64),
}

impl Answer {
    /// The answer to what cannot be done.
    pub fn error(error: &dyn fmt::Display) -> Self {
        Self::Error(message(error))
    }

    /// The answer to a question for help.
    pub fn help() -> Self {
        Self::Help(message(&HELP))
    }
}

impl Facts {
    /// Those of a model and of the file that it was read from.
    pub fn of(model: &Model<'_>, file: &[u8]) -> Self {
        let mut name = Message::new();
        for c in model.name().chars() {
            let c = if c.is_control() { ' ' } else { c };
            if name.push(c).is_err() {
                break;
            }
        }
        Self {
            name,
            kind: model.kind(),
            dim: model.description().dim,
            context_dim: model.description().context_dim,
            file_len: file.len() as u32,
            checksum: file.last_chunk().copied().map_or(0, u32::from_le_bytes),
            mac_count: model.mac_count() as u32,
        }
    }
}

impl Spent {
    /// The sum, where both are of one unit.
    pub fn plus(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Cycles(a), Self::Cycles(b)) => a.checked_add(b).map(Self::Cycles),
            (Self::Instructions(a), Self::Instructions(b)) => {
                a.checked_add(b).map(Self::Instructions)
            }
            _ => None,
        }
    }

    /// What one of `count` took, rounded down.
    pub fn each(self, count: u32) -> Option<Self> {
        let count = u64::from(count);
        match self {
            Self::Cycles(n) => n.checked_div(count).map(Self::Cycles),
            Self::Instructions(n) => n.checked_div(count).map(Self::Instructions),
        }
    }
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cycles(n) => write!(f, "{n} cycles"),
            Self::Instructions(n) => write!(f, "{n} instructions"),
        }
    }
}

/// As much of a text as there is room for.
fn message(text: &dyn fmt::Display) -> Message {
    let mut cut = Cut(Message::new());
    // An error is the end of the room.
    let _ = fmt::write(&mut cut, format_args!("{text}"));
    cut.0
}

/// Takes characters until it is full.
struct Cut(Message);

impl fmt::Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut characters = text.chars();
        characters.try_for_each(|c| self.0.push(c).map_err(|_| fmt::Error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        let Answer::Error(cut) = Answer::error(&format!("a{}", "é".repeat(MESSAGE_LEN))) else {
            panic!("an error is an error");
        };
        assert_eq!(cut.len(), MESSAGE_LEN - 1);
        assert!(cut.ends_with('é'));
    }

    #[test]
    fn units_are_not_mixed() {
        let (cycles, instructions) = (Spent::Cycles(7), Spent::Instructions(1));
        assert_eq!(cycles.plus(cycles), Some(Spent::Cycles(14)));
        assert_eq!(cycles.plus(instructions), None);
        assert_eq!(cycles.each(2), Some(Spent::Cycles(3)));
        assert_eq!(cycles.each(0), None);
    }
}
