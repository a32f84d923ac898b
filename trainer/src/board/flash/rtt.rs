//! What a board of silicon logs: probe-rs reads it by RTT while the program runs, and decodes it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use super::super::log::Decoder;
use super::super::{Board, BoardError, Log};
use super::said::Said;
use super::{FlashError, Load, Place, Tool, probe_rs};
use crate::error::Error;

/// As the lines of boards in QEMU are.
const FORMAT: &str = "{L:<5} {s} ({fff}:{l})";

/// A log under way; it ends with this.
#[derive(Debug)]
pub struct Rtt {
    reader: Child,
    /// Passes on what it says.
    teller: Option<JoinHandle<()>>,
    /// Whether the log is to end.
    is_over: Arc<AtomicBool>,
}

impl Rtt {
    /// Reads what the board logs that runs `program`, whose ELF file has the log's texts.
    ///
    /// Neither a program with `disable-blocking-mode` of defmt-rtt, as the examples are, nor what comes over its serial
    /// line is held up. probe-rs has any other wait where the log's buffer is full: once this ends, such a program
    /// stands still until it is reset.
    ///
    /// # Errors
    ///
    /// [`Error::Board`] where the program logs nothing, probe-rs is missing, or there is no probe or another chip.
    pub fn attach(
        board: Board,
        program: &Path,
        probe: Option<String>,
        log: &Log,
    ) -> Result<Self, Error> {
        if !program.is_file() {
            let path = program.into();
            return Err(BoardError::NoProgram { path }.into());
        }
        Decoder::check(program)?;
        probe_rs::check()?;
        let place = Place {
            probe,
            ..Place::default()
        };
        let target = load(board, &place);
        let tool = board.tool()?;
        if let Tool::ProbeRs(chip) | Tool::Uf2(chip) = tool {
            probe_rs::check_chip(chip, &target)?;
        }
        let chip = tool.probed_chip();
        let mut command = probe_rs::command("attach", chip, &target);
        command
            // A reset and a fault are the program's own affair.
            .args(["--no-catch-reset", "--no-catch-hardfault"])
            .args(["--log-format", FORMAT])
            .arg(program)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut reader = command.spawn().map_err(|source| BoardError::Start {
            program: probe_rs::NAME.into(),
            source,
        })?;
        let output = reader.stdout.take().expect("the output is piped");
        let errors = reader.stderr.take().expect("the error output is piped");
        let is_over = Arc::new(AtomicBool::new(false));
        let (log, was_to_end) = (log.clone(), Arc::clone(&is_over));
        let teller = thread::spawn(move || {
            let said = tell(output, errors, &log);
            if !was_to_end.load(Ordering::Acquire) {
                let said = Said::failed(&String::from_utf8_lossy(&said));
                // Ctrl-C in a terminal is for all that runs there.
                if said.has(&["Received Ctrl+C"]) {
                    return;
                }
                let reason = match probe_rs::reason(&said, chip, &load(board, &place)) {
                    FlashError::Tool { message, .. } => message,
                    FlashError::Unplugged { .. } => "the connection broke".into(),
                    reason => reason.to_string(),
                };
                (log.tell)(&format!("?     the log has ended: {reason}"));
            }
        });
        Ok(Self {
            reader,
            teller: Some(teller),
            is_over,
        })
    }
}

impl Drop for Rtt {
    fn drop(&mut self) {
        if !matches!(self.reader.try_wait(), Ok(Some(_))) {
            self.is_over.store(true, Ordering::Release);
            // An error means that it has ended by itself.
            let _ = self.reader.kill();
            let _ = self.reader.wait();
        }
        if let Some(teller) = self.teller.take() {
            let _ = teller.join();
        }
    }
}

fn load(board: Board, place: &Place) -> Load<'_> {
    Load {
        board,
        program: None,
        parts: &[],
        place,
    }
}

/// Passes on lines until there are no more, and gives back the end of what else was said.
fn tell(output: impl Read, errors: impl Read + Send + 'static, log: &Log) -> Vec<u8> {
    // On its own, for probe-rs waits where nobody takes what it says.
    let said = thread::spawn(move || end_of(errors));
    let mut output = BufReader::new(output);
    let mut line = vec![];
    while let Ok(1..) = output.read_until(b'\n', &mut line) {
        let text = String::from_utf8_lossy(&line);
        // What it ends with after Ctrl-C is none of the log.
        if text.trim_end() != "Exited by user request" {
            log.show(text.trim_end());
        }
        line.clear();
    }
    said.join().unwrap_or_default()
}

/// Bytes of what probe-rs says beside the log that are kept, at most twice as many for a while.
const MOST_SAID: usize = 64 << 10;

/// The last bytes that there are.
fn end_of(mut errors: impl Read) -> Vec<u8> {
    let mut said = vec![];
    while let Ok(1..) = errors
        .by_ref()
        .take(MOST_SAID as u64)
        .read_to_end(&mut said)
    {
        said.drain(..said.len().saturating_sub(MOST_SAID));
    }
    said
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::super::Level;
    use super::*;

    #[test]
    fn a_line_that_is_no_text_ends_no_log() {
        let lines = Arc::new(Mutex::new(vec![]));
        let log = {
            let lines = Arc::clone(&lines);
            let push = move |line: &str| lines.lock().unwrap().push(line.to_owned());
            Log::new(Level::Info, push)
        };
        let output: &[u8] = b"INFO  one\nINFO  \xff\nINFO  three\nExited by user request\n";
        assert_eq!(tell(output, &b"why"[..], &log), b"why");
        let lines = lines.lock().unwrap();
        assert_eq!(lines[..], ["INFO  one", "INFO  \u{fffd}", "INFO  three"]);
    }

    #[test]
    fn the_end_of_what_is_said_is_kept() {
        let said = [vec![b'a'; 3 * MOST_SAID + 5], b"Error: why".to_vec()].concat();
        let end = end_of(&said[..]);
        assert!(end.len() == MOST_SAID && end.ends_with(b"aError: why"));
    }
}
