//! What is said, as a board logs it: commands as their lines have them, the model in one line, data by its length.

use defmt::{Format, Formatter, write};

use crate::update::Request;
use crate::{Command, Draw, Facts, Form, Measured, Spent};

impl Format for Command {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::Model => write!(f, "model"),
            Self::Sample(draw) => write!(f, "sample {}", draw),
            Self::Digest(draw) => write!(f, "digest {}", draw),
            Self::Feed(measured) => write!(f, "feed {}", measured),
            Self::Restart(form) => write!(f, "restart{}", form),
            Self::Help => write!(f, "help"),
        }
    }
}

impl Format for Draw {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{=u32}", self.count);
        if let Some(seed) = self.seed {
            write!(f, " seed={=u64}", seed);
        }
        if let Some(steps) = self.step_count {
            write!(f, " steps={=u16}", steps.get());
        }
        if !self.context.is_empty() {
            write!(f, " context={}", Values(&self.context));
        }
        write!(f, "{}", self.form);
    }
}

impl Format for Measured {
    fn format(&self, f: Formatter<'_>) {
        write!(f, "{}{}", Values(&self.values), self.form);
    }
}

impl Format for Form {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::Text => write!(f, ""),
            Self::Frames => write!(f, " as=frames"),
        }
    }
}

/// Numbers with commas between them.
///
/// As a slice they would come after their count, which a reader has to believe even where it is damaged.
struct Values<'v>(&'v [f32]);

impl Format for Values<'_> {
    fn format(&self, f: Formatter<'_>) {
        for (i, value) in self.0.iter().enumerate() {
            match i {
                0 => write!(f, "{=f32}", value),
                _ => write!(f, ",{=f32}", value),
            }
        }
    }
}

impl Format for Facts {
    fn format(&self, f: Formatter<'_>) {
        write!(
            f,
            "{=str}: {}, {=u8} dimensions, {=u8} context numbers, {=u32} bytes, CRC-32 {=u32:08x}",
            self.name.as_str(),
            self.kind,
            self.dim,
            self.context_dim,
            self.file_len,
            self.checksum
        );
    }
}

impl Format for Spent {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::Cycles(n) => write!(f, "{=u64} cycles", n),
            Self::Instructions(n) => write!(f, "{=u64} instructions", n),
        }
    }
}

impl Format for Request<'_> {
    fn format(&self, f: Formatter<'_>) {
        match self {
            Self::Begin { length, checksum } => {
                write!(f, "begin {=u32} bytes, CRC-32 {=u32:08x}", length, checksum);
            }
            Self::Data { offset, bytes } => {
                write!(
                    f,
                    "data from {=u32} on, {=usize} bytes",
                    offset,
                    bytes.len()
                );
            }
            Self::Finish => write!(f, "finish"),
        }
    }
}
