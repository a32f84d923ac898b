//! The line to a program in QEMU: its standard input and output.

use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use super::error::{failed, tail};
use super::link::{Link, Received};
use super::{Board, BoardError, emulator};

/// Chunks on their way.
const CHUNKS_AHEAD: usize = 64;
/// Bytes of a chunk, at most.
const CHUNK_LEN: usize = 4096;

/// Bytes that are kept to tell what was said last.
const MOST_HEARD: usize = 8 << 10;

/// A running emulator; it does not outlive this.
#[derive(Debug)]
pub(super) struct EmulatedLink {
    child: Child,
    /// Until [`close`](Self::close).
    input: Option<ChildStdin>,
    /// Of standard output and error together: semihosting writes to either.
    output: Receiver<Vec<u8>>,
    heard: Vec<u8>,
}

impl EmulatedLink {
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take();
        let (sender, receiver) = sync_channel(CHUNKS_AHEAD);
        forward(child.stdout.take(), sender.clone());
        forward(child.stderr.take(), sender);
        Ok(Self {
            child,
            input,
            output: receiver,
            heard: vec![],
        })
    }

    /// What was received last.
    pub(super) fn heard(&self) -> &[u8] {
        &self.heard
    }

    /// Ends the program's input.
    pub(super) fn close(&mut self) {
        self.input = None;
    }

    /// Ends the program as a power cut does.
    pub(super) fn kill(&mut self) -> io::Result<ExitStatus> {
        self.child.kill()?;
        self.child.wait()
    }

    /// How it ends, once its outputs are closed.
    pub(super) fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }

    /// Why nothing more comes from `board`, once its outputs are closed.
    pub(super) fn ended(&mut self, board: Board) -> BoardError {
        let tail = tail(&String::from_utf8_lossy(&self.heard));
        match self.wait() {
            Ok(status) if status.success() => BoardError::Ended { board, tail },
            Ok(status) => failed(board, status, tail),
            Err(error) => emulator::no_start(board, error),
        }
    }
}

impl Link for EmulatedLink {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let input = self.input.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        match input.write_all(bytes) {
            // What a program said before it ended tells more.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            outcome => outcome,
        }
    }

    fn receive(&mut self, timeout: Duration) -> io::Result<Received> {
        Ok(match self.output.recv_timeout(timeout) {
            Ok(bytes) => {
                self.heard.extend(&bytes);
                let old = self.heard.len().saturating_sub(MOST_HEARD);
                self.heard.drain(..old);
                Received::Bytes(bytes)
            }
            Err(RecvTimeoutError::Timeout) => Received::Silence,
            Err(RecvTimeoutError::Disconnected) => Received::End,
        })
    }
}

impl Drop for EmulatedLink {
    fn drop(&mut self) {
        // An error means that it has ended by itself.
        let _ = self.kill();
    }
}

/// Sends on what comes, until there is no more or nobody listens.
fn forward(output: Option<impl Read + Send + 'static>, chunks: SyncSender<Vec<u8>>) {
    let mut output = output.expect("outputs are piped");
    thread::spawn(move || {
        let mut chunk = [0; CHUNK_LEN];
        while let Ok(len @ 1..) = output.read(&mut chunk) {
            if chunks.send(chunk[..len].to_vec()).is_err() {
                break;
            }
        }
    });
}
