//! What a tool says, and whether it has done what it should.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use tempfile::NamedTempFile;

use super::super::BoardError;
use crate::error::Error;

/// Characters of a message that is passed on, at most.
const MESSAGE_LEN: usize = 400;

/// What a tool said to the end of its run.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) success: bool,
    /// Its standard output.
    pub(super) output: String,
    /// Both outputs as one line, without what draws frames around errors.
    all: String,
}

/// Finds out whether a tool starts.
pub(super) fn check(tool: &'static str, argument: &str, command: &str) -> Result<(), BoardError> {
    run(Command::new(tool).arg(argument), tool, command).map(drop)
}

/// Runs a tool that asks nobody anything; `installation` is what installs it.
pub(super) fn run(
    command: &mut Command,
    tool: &'static str,
    installation: &str,
) -> Result<Said, BoardError> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => BoardError::NoTool {
            tool,
            command: installation.into(),
        },
        _ => BoardError::Start {
            program: tool.into(),
            source,
        },
    })?;
    let [printed, told] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok(Said {
        success: output.status.success(),
        all: plain(&format!("{printed}\n{told}")),
        output: printed,
    })
}

/// A file for a tool to read, which goes when it is dropped.
pub(super) fn file_of(bytes: &[u8], ending: &str) -> Result<NamedTempFile, Error> {
    let io = |source| Error::Io {
        action: "write to",
        path: std::env::temp_dir(),
        source,
    };
    let mut file = NamedTempFile::with_suffix(ending).map_err(io)?;
    file.write_all(bytes).map_err(io)?;
    Ok(file)
}

impl Said {
    /// Of one that failed, by all that it said.
    pub(super) fn failed(text: &str) -> Self {
        Self {
            success: false,
            output: text.into(),
            all: plain(text),
        }
    }

    /// Whether it said any of these.
    pub(super) fn has(&self, texts: &[&str]) -> bool {
        texts.iter().any(|text| self.all.contains(text))
    }

    /// What follows `start`, to the end of the word.
    pub(super) fn after(&self, start: &str) -> Option<&str> {
        let (_, rest) = self.all.split_once(start)?;
        rest.split(' ').next()
    }

    /// Why it failed, in its own words.
    pub(super) fn message(&self) -> String {
        let all = || self.all.as_str();
        let after = all().rsplit_once("Error:").or(all().rsplit_once("ERROR:"));
        match after.map_or(all(), |(_, message)| message).trim() {
            "" => "it does not say why".into(),
            message => message.chars().take(MESSAGE_LEN).collect(),
        }
    }
}

/// A text without colours, frames and line breaks.
fn plain(text: &str) -> String {
    let mut kept = String::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            // A colour: ESC, `[`, numbers and a letter.
            '\u{1b}' => {
                characters.find(char::is_ascii_alphabetic);
            }
            '│' | '├' | '╰' | '─' | '▶' | '×' | '╭' => kept.push(' '),
            c => kept.push(c),
        }
    }
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_framed_message_is_one_line() {
        let framed = "\u{1b}[31mError:\u{1b}[0m   \n  × Error while connecting\n  │ to device\n  ╰─▶ No such file\n";
        assert_eq!(
            plain(framed),
            "Error: Error while connecting to device No such file"
        );
    }

    #[test]
    fn a_message_begins_after_the_word_error() {
        let said = |text: &str| Said {
            success: false,
            output: String::new(),
            all: plain(text),
        };
        let message = said("WARN x\nError: no chip\n\nCaused by:\n    0: no power\n").message();
        assert_eq!(message, "no chip Caused by: 0: no power");
        assert_eq!(said("").message(), "it does not say why");
        assert_eq!(said("ports /dev/tty 1").after("ports "), Some("/dev/tty"));
    }
}
