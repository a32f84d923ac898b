//! QEMU, run to its end or to its time.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::error::tail;
use super::{Board, BoardError};

const EMULATOR: &str = "qemu-system-arm";

const INSTALL: &str = if cfg!(target_os = "macos") {
    "brew install qemu"
} else {
    "sudo apt-get install -y --no-install-recommends qemu-system-arm"
};

/// Lines on their way: few, so that a program is not far ahead of its deadline.
const LINES_AHEAD: usize = 64;

/// Finds out whether QEMU is there, before a build is spent on it.
pub(super) fn check() -> Result<(), BoardError> {
    let mut emulator = Command::new(EMULATOR);
    emulator
        .arg("--version")
        .output()
        .map(drop)
        .map_err(no_start)
}

/// Runs a program on a board and gives back all it wrote; each line goes to `on_line` as it comes.
pub(super) fn run(
    board: Board,
    program: &Path,
    arguments: &[String],
    limit: Duration,
    on_line: &mut dyn FnMut(&str),
) -> Result<String, BoardError> {
    let deadline = Instant::now() + limit;
    let mut emulator = Emulator::start(&mut command(board, program, arguments))?;
    let transcript = read_until(deadline, &emulator.lines, on_line);
    let tail = tail(&transcript);
    match emulator.status_by(deadline)? {
        Some(status) if status.success() => Ok(transcript),
        Some(status) => Err(BoardError::Failed {
            board,
            status,
            tail,
        }),
        None => Err(BoardError::TimeLimit {
            board,
            seconds: limit.as_secs_f64(),
            tail,
        }),
    }
}

fn command(board: Board, program: &Path, arguments: &[String]) -> Command {
    let mut semihosting = String::from("enable=on,target=native,arg=program");
    for argument in arguments {
        semihosting.push_str(",arg=");
        // QEMU's way to write a comma that parts nothing.
        semihosting.push_str(&argument.replace(',', ",,"));
    }
    let mut command = Command::new(EMULATOR);
    command
        .args(["-machine", board.machine(), "-kernel"])
        .arg(program)
        .args(["-semihosting-config", &semihosting])
        .args(["-display", "none", "-monitor", "none", "-serial", "none"]);
    command
}

/// The lines there are until `deadline`, or until there are no more.
fn read_until(
    deadline: Instant,
    lines: &Receiver<String>,
    on_line: &mut dyn FnMut(&str),
) -> String {
    let mut transcript = String::new();
    // No time left is a reason to stop even where another line waits.
    while let Some(time) = deadline.checked_duration_since(Instant::now()) {
        let Ok(line) = lines.recv_timeout(time) else {
            break;
        };
        on_line(&line);
        transcript.push_str(&line);
        transcript.push('\n');
    }
    transcript
}

/// A running emulator; it does not outlive its run.
struct Emulator {
    process: Child,
    /// Of its standard output and error together: semihosting writes to either.
    lines: Receiver<String>,
}

impl Emulator {
    fn start(command: &mut Command) -> Result<Self, BoardError> {
        let mut process = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(no_start)?;
        let (sender, lines) = sync_channel(LINES_AHEAD);
        let output = process.stdout.take().expect("the output is piped");
        let error = process.stderr.take().expect("the error output is piped");
        forward(output, sender.clone());
        forward(error, sender);
        Ok(Self { process, lines })
    }

    /// How it ended, if it does so before `deadline`.
    fn status_by(&mut self, deadline: Instant) -> Result<Option<ExitStatus>, BoardError> {
        // Its outputs are closed or the time is up, so this waits for a moment at most.
        const MOMENT: Duration = Duration::from_millis(1);
        loop {
            let status = self.process.try_wait().map_err(no_start)?;
            if status.is_some() || Instant::now() >= deadline {
                return Ok(status);
            }
            thread::sleep(MOMENT);
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // An error means that it has ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Sends on the lines of `output` until it ends or nobody listens.
fn forward(output: impl Read + Send + 'static, lines: SyncSender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            if lines.send(line.trim_end().into()).is_err() {
                break;
            }
        }
    });
}

fn no_start(source: io::Error) -> BoardError {
    if source.kind() == io::ErrorKind::NotFound {
        BoardError::NoEmulator {
            emulator: EMULATOR,
            command: INSTALL,
        }
    } else {
        BoardError::Start {
            program: EMULATOR.into(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::firmware;
    use super::*;

    /// Ample for a program that ends by itself, even on a busy machine.
    const AMPLE: Duration = Duration::from_secs(60);

    fn fail(board: Board, way: &str, limit: Duration) -> BoardError {
        let program = firmware::build(board, "failures", None).unwrap();
        run(board, &program.path(), &[way.into()], limit, &mut |_| {}).unwrap_err()
    }

    #[track_caller]
    fn assert_fails(board: Board, way: &str, message: &str) {
        let error = fail(board, way, AMPLE);
        let BoardError::Failed { tail, .. } = &error else {
            panic!("{board}: {way} ends in {error}");
        };
        assert!(tail.contains(message), "{board}: {way} ends in {tail}");
    }

    #[test]
    fn an_error_ends_the_run_with_its_message() {
        for board in Board::ALL {
            assert_fails(board, "error", "error: as asked for");
        }
    }

    #[test]
    fn a_panic_ends_the_run_with_its_message() {
        for board in Board::ALL {
            assert_fails(board, "panic", "panicked at failures/src/main.rs");
            assert_fails(board, "panic", "as asked for");
        }
    }

    #[test]
    fn a_hard_fault_ends_the_run_with_its_place() {
        for board in Board::ALL {
            assert_fails(board, "fault", "HardFault at 0x0000");
        }
    }

    /// The other machine has something that swallows writes below its RAM.
    #[test]
    fn a_stack_overflow_ends_the_run_where_nothing_lies_below_the_stack() {
        assert_fails(Board::QemuM0, "overflow", "Lockup");
    }

    #[test]
    fn a_hang_ends_at_the_time_limit() {
        for board in Board::ALL {
            let error = fail(board, "hang", Duration::from_millis(500));
            assert!(
                matches!(error, BoardError::TimeLimit { .. }),
                "{board}: {error}"
            );
        }
    }

    #[test]
    fn endless_lines_end_at_the_time_limit() {
        for board in Board::ALL {
            let error = fail(board, "babble", Duration::from_millis(500));
            assert!(
                matches!(error, BoardError::TimeLimit { .. }),
                "{board}: {error}"
            );
        }
    }
}
