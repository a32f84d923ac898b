//! The task that reads the serial line, and the way back, which tasks share.

use core::fmt;

use embassy_nrf::buffered_uarte::{BufferedUarteRx, BufferedUarteTx};
use embassy_sync::{blocking_mutex::raw::NoopRawMutex, mutex::Mutex};
use flowlet_protocol::frame::{self, Buffer};
use flowlet_protocol::{Answer, Command, Facts, Form, LineReader, text};

use support::{debug, warn};

use crate::{REQUESTS, Requests};

/// Bytes of a line with a point of 64 dimensions whose numbers are the longest.
const LONGEST_LINE: usize = 4096;

/// The serial line to the computer: an answer comes whole, whichever task it is from.
pub(crate) struct Output(Mutex<NoopRawMutex, BufferedUarteTx<'static>>);

impl Output {
    pub(crate) fn new(line: BufferedUarteTx<'static>) -> Self {
        Self(Mutex::new(line))
    }

    /// Sends an answer; what is lost on the way has no checksum that is right.
    pub(crate) async fn tell(&self, form: Form, answer: &Answer) {
        match form {
            Form::Text => {
                let mut line = heapless::String::<LONGEST_LINE>::new();
                if text::write(&mut line, answer).is_ok() {
                    self.send(line.as_bytes()).await;
                }
            }
            Form::Frames => {
                let mut buffer: Buffer = [0; frame::MAX_LEN];
                if let Ok(frame) = frame::encode(answer, &mut buffer) {
                    self.send(frame).await;
                }
            }
        }
    }

    async fn send(&self, mut bytes: &[u8]) {
        let mut line = self.0.lock().await;
        while let Ok(written @ 1..) = line.write(bytes).await {
            bytes = bytes.get(written..).unwrap_or_default();
            if bytes.is_empty() {
                break;
            }
        }
    }
}

/// Why a request for samples is not taken.
struct Busy;

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{REQUESTS} requests wait already: ask again when one of them is done"
        )
    }
}

/// Answers what needs no sample, at once, and hands on the rest; what finds no room is refused.
#[embassy_executor::task]
pub(crate) async fn serve(
    mut input: BufferedUarteRx<'static>,
    output: &'static Output,
    requests: &'static Requests,
    facts: Facts,
) {
    let mut lines = LineReader::new();
    let mut byte = [0];
    loop {
        if input.read(&mut byte).await.is_err() {
            // A line with a hole in it is none.
            byte = [support::LOST];
        }
        if !lines.push(byte[0]) {
            continue;
        }
        let command = match lines.line().map(str::parse) {
            Ok(Ok(command)) => {
                debug!("asked: {}", command);
                Ok(command)
            }
            Ok(Err(error)) => {
                warn!("no command: {}", error);
                Err(Answer::error(&error))
            }
            Err(error) => {
                warn!("no line: {}", error);
                Err(Answer::error(&error))
            }
        };
        let answer = match command {
            Ok(Command::Sample(draw)) => match requests.try_send(draw) {
                Ok(()) => continue,
                // To wait for room would leave what comes next without an answer.
                Err(_) => {
                    warn!("no room for a request");
                    Answer::error(&Busy)
                }
            },
            Ok(Command::Model) => Answer::Model(facts.clone()),
            Ok(_) => Answer::help(),
            Err(answer) => answer,
        };
        output.tell(Form::Text, &answer).await;
    }
}
