//! A sampler in QEMU that goes on answering.

use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use tempfile::NamedTempFile;

use super::super::firmware::Chosen;
use super::super::fit::{check_fit, image};
use super::super::{Board, emulator};
use crate::error::Error;
use crate::model_file::ModelFile;

/// Chunks on their way: few, so that the machine waits for whoever reads.
const CHUNKS_AHEAD: usize = 16;

/// The machine; it ends with its line.
#[derive(Debug)]
pub(super) struct Machine {
    child: Child,
    input: ChildStdin,
    output: Receiver<Vec<u8>>,
    /// What came and was not taken.
    rest: Vec<u8>,
    /// The models, which QEMU reads when it starts.
    _image: NamedTempFile,
    _program: Chosen,
}

impl Machine {
    pub(super) fn start(
        board: Board,
        file: &ModelFile,
        program: Option<&Path>,
    ) -> Result<Self, Error> {
        check_fit(board, &[file])?;
        board.machine()?.emulator.check()?;
        let program = Chosen::new(board, "sampler", program)?;
        let image = emulator::place(&image(&[file]))?;
        let mut command = emulator::command(board, &program.path(), image.path())?;
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let child = command.stderr(Stdio::null()).spawn();
        let mut child = child.map_err(|source| emulator::no_start(board, source))?;
        let input = child.stdin.take().expect("the input is piped");
        let output = child.stdout.take().expect("the output is piped");
        let (sender, receiver) = sync_channel(CHUNKS_AHEAD);
        thread::spawn(move || forward(output, &sender));
        Ok(Self {
            child,
            input,
            output: receiver,
            rest: vec![],
            _image: image,
            _program: program,
        })
    }

    /// Waits for bytes; [`ErrorKind::TimedOut`] where none came for so long.
    pub(super) fn read(&mut self, bytes: &mut [u8], patience: Duration) -> io::Result<usize> {
        if self.rest.is_empty() {
            self.rest = match self.output.recv_timeout(patience) {
                Ok(chunk) => chunk,
                Err(RecvTimeoutError::Timeout) => return Err(ErrorKind::TimedOut.into()),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
            };
        }
        let len = bytes.len().min(self.rest.len());
        bytes[..len].copy_from_slice(&self.rest[..len]);
        self.rest.drain(..len);
        Ok(len)
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.input.write_all(bytes)?;
        self.input.flush()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // An error means that it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends on what comes until it ends or nobody listens.
fn forward(mut output: impl Read, chunks: &SyncSender<Vec<u8>>) {
    let mut chunk = [0; 4096];
    while let Ok(len @ 1..) = output.read(&mut chunk) {
        if chunks.send(chunk[..len].to_vec()).is_err() {
            break;
        }
    }
}
