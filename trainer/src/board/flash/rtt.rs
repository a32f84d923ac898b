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
    /// Reads what the board logs that runs `program`, whose ELF file has the log's texts. Neither the program nor what
    /// comes over its serial line is held up.
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
        let chip = match board.tool()? {
            Tool::ProbeRs(chip) | Tool::Uf2(chip) => {
                probe_rs::check_chip(chip, &target)?;
                chip.name
            }
            Tool::Espflash { chip } => chip,
        };
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

/// Passes on lines until there are no more, and gives back what else was said.
fn tell(output: impl Read, mut errors: impl Read + Send + 'static, log: &Log) -> Vec<u8> {
    // On its own, for probe-rs waits where nobody takes what it says.
    let said = thread::spawn(move || {
        let mut said = vec![];
        errors.read_to_end(&mut said).map(|_| said)
    });
    for line in BufReader::new(output).lines() {
        match line {
            Ok(line) => log.show(&line),
            Err(_) => break,
        }
    }
    said.join().ok().and_then(Result::ok).unwrap_or_default()
}
