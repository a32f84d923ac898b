//! QEMU, run to its end or to its time.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{self, Path};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use super::error::{failed, tail};
use super::log::LogFile;
use super::{Board, BoardError};
use crate::error::Error;

/// One of QEMU's programs.
#[derive(Debug)]
pub(super) struct Emulator {
    program: &'static str,
    /// Debian's package that it is in.
    package: &'static str,
    /// For every machine.
    options: &'static [&'static str],
}

pub(super) static ARM: Emulator = Emulator {
    program: "qemu-system-arm",
    package: "qemu-system-arm",
    options: &[],
};

pub(super) static RISCV32: Emulator = Emulator {
    program: "qemu-system-riscv32",
    package: "qemu-system-misc",
    // The program is all the software there is.
    options: &["-bios", "none"],
};

/// A machine that QEMU plays.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) emulator: &'static Emulator,
    /// QEMU's name for it.
    pub(super) name: &'static str,
}

/// Lines on their way: few, so that a program is not far ahead of its deadline.
const LINES_AHEAD: usize = 64;

impl Emulator {
    /// Finds out whether it is there, before a build is spent on it.
    pub(super) fn check(&self) -> Result<(), BoardError> {
        let mut emulator = Command::new(self.program);
        let output = emulator.arg("--version").output();
        output.map(drop).map_err(|error| self.no_start(error))
    }

    fn no_start(&self, source: io::Error) -> BoardError {
        if source.kind() == io::ErrorKind::NotFound {
            BoardError::NoTool {
                tool: self.program,
                command: self.installation(),
            }
        } else {
            BoardError::Start {
                program: self.program.into(),
                source,
            }
        }
    }

    fn installation(&self) -> String {
        if cfg!(target_os = "macos") {
            return "brew install qemu".into();
        }
        let package = self.package;
        format!("sudo apt-get install -y --no-install-recommends {package}")
    }
}

/// What runs on a board.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'l> {
    /// The ELF file.
    pub program: &'l Path,
    /// What lies in the flash region for models.
    pub image: &'l [u8],
    /// What the program reads, to the end of its input.
    pub input: &'l str,
    /// A plugin of QEMU's, as `FILE,ARGUMENT,…`; without one, the board counts instructions.
    pub plugin: Option<&'l str>,
    /// When the run is stopped.
    pub limit: Duration,
}

/// Runs a program on a board and gives back all it wrote; each line goes to `on_line` as it comes.
pub(super) fn run(
    board: Board,
    launch: &Launch<'_>,
    on_line: &mut dyn FnMut(&str),
) -> Result<Vec<u8>, Error> {
    run_logging(board, launch, None, on_line)
}

/// [`run`], of a program that logs.
pub(super) fn run_logging(
    board: Board,
    launch: &Launch<'_>,
    log: Option<&LogFile>,
    on_line: &mut dyn FnMut(&str),
) -> Result<Vec<u8>, Error> {
    let deadline = Instant::now() + launch.limit;
    let no_start = |error| no_start(board, error);
    let image = place(launch.image)?;
    let loaded = (!launch.image.is_empty()).then_some(image.path());
    let mut command = semihosting(board, launch.program, loaded, &[], log)?;
    match launch.plugin {
        Some(plugin) => command.arg("-plugin").arg(whole(plugin)?),
        None => command.args(COUNTING),
    };
    let mut process = Process::start(&mut command, launch.input).map_err(no_start)?;
    let output = read_until(deadline, &process.lines, on_line);
    let tail = tail(&String::from_utf8_lossy(&output));
    match process.status_by(deadline).map_err(no_start)? {
        Some(status) if status.success() => Ok(output),
        Some(status) => Err(failed(board, status, tail).into()),
        None => Err(Error::Board(BoardError::TimeLimit {
            board,
            seconds: launch.limit.as_secs_f64(),
            tail,
        })),
    }
}

/// A plugin's file by a path that holds in any folder, since QEMU runs in that of the log.
fn whole(plugin: &str) -> Result<OsString, Error> {
    let (path, arguments) = match plugin.split_once(',') {
        Some((path, arguments)) => (path, format!(",{arguments}")),
        None => (plugin, String::new()),
    };
    let whole = path::absolute(path).map_err(|source| Error::cannot_read(path.as_ref(), source))?;
    let mut whole = whole.into_os_string();
    whole.push(arguments);
    Ok(whole)
}

/// Writes the models where QEMU loads them from; the file goes after the run.
pub(super) fn place(image: &[u8]) -> Result<NamedTempFile, Error> {
    let io = |source| Error::Io {
        action: "write to",
        path: env::temp_dir(),
        source,
    };
    let mut file = NamedTempFile::new().map_err(io)?;
    file.write_all(image).map_err(io)?;
    Ok(file)
}

/// A nanosecond an instruction, which the boards' counters of time then count.
pub(super) const COUNTING: [&str; 2] = ["-icount", "shift=0"];

/// QEMU with a program, and with an image in the region for models.
fn command(board: Board, program: &Path, image: Option<&Path>) -> Result<Command, BoardError> {
    let machine = board.machine()?;
    let mut command = Command::new(machine.emulator.program);
    command
        .args(machine.emulator.options)
        .args(["-machine", machine.name, "-kernel"])
        .arg(program)
        .args(["-display", "none", "-monitor", "none", "-serial", "none"]);
    if let Some(path) = image {
        // QEMU's way to write a comma that parts nothing.
        let path = path.display().to_string().replace(',', ",,");
        let start = board.model_region().start;
        let loader = format!("loader,file={path},addr={start:#x},force-raw=on");
        command.args(["-device", &loader]);
    }
    Ok(command)
}

/// [`command`], with semihosting: the program is given `arguments`, and the log's file if there is a log.
pub(super) fn semihosting(
    board: Board,
    program: &Path,
    image: Option<&Path>,
    arguments: &[String],
    log: Option<&LogFile>,
) -> Result<Command, Error> {
    let program =
        fs::canonicalize(program).map_err(|source| Error::cannot_read(program, source))?;
    let mut command = command(board, &program, image)?;
    // The first argument is the program's name.
    let mut config = "enable=on,target=native,arg=program".to_owned();
    for argument in arguments {
        config += &format!(",arg={argument}");
    }
    if let Some(log) = log {
        config += &format!(",arg={}", LogFile::argument());
        command.current_dir(log.folder());
    }
    command.args(["-semihosting-config", &config]);
    Ok(command)
}

/// Why the board's emulator does not start.
pub(super) fn no_start(board: Board, source: io::Error) -> BoardError {
    match board.machine() {
        Ok(machine) => machine.emulator.no_start(source),
        Err(error) => error,
    }
}

/// The bytes there are until `deadline`, or until there are no more.
fn read_until(
    deadline: Instant,
    lines: &Receiver<Vec<u8>>,
    on_line: &mut dyn FnMut(&str),
) -> Vec<u8> {
    let mut output = vec![];
    // No time left is a reason to stop even where another line waits.
    while let Some(time) = deadline.checked_duration_since(Instant::now()) {
        let Ok(line) = lines.recv_timeout(time) else {
            break;
        };
        on_line(String::from_utf8_lossy(&line).trim_end());
        output.extend(line);
    }
    output
}

/// A running emulator; it does not outlive its run.
struct Process {
    child: Child,
    /// Of its standard output and error together: semihosting writes to either.
    lines: Receiver<Vec<u8>>,
}

impl Process {
    fn start(command: &mut Command, input: &str) -> io::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stdin = child.stdin.take().expect("the input is piped");
        let input = input.to_owned();
        // On its own, for it waits until the program reads; one that has ended reads no more.
        thread::spawn(move || stdin.write_all(input.as_bytes()));
        let (sender, lines) = sync_channel(LINES_AHEAD);
        let output = child.stdout.take().expect("the output is piped");
        let error = child.stderr.take().expect("the error output is piped");
        forward(output, sender.clone());
        forward(error, sender);
        Ok(Self { child, lines })
    }

    /// How it ended, if it does so before `deadline`.
    fn status_by(&mut self, deadline: Instant) -> io::Result<Option<ExitStatus>> {
        // Its outputs are closed or the time is up, so this waits for a moment at most.
        const MOMENT: Duration = Duration::from_millis(1);
        loop {
            let status = self.child.try_wait()?;
            if status.is_some() || Instant::now() >= deadline {
                return Ok(status);
            }
            thread::sleep(MOMENT);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends on the lines of `output`, each with its end, until it ends or nobody listens.
fn forward(output: impl Read + Send + 'static, lines: SyncSender<Vec<u8>>) {
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        loop {
            let mut line = vec![];
            match output.read_until(b'\n', &mut line) {
                Ok(1..) if lines.send(line).is_ok() => {}
                _ => break,
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::firmware;
    use super::*;

    /// Ample for a program that ends by itself, even on a busy machine.
    const AMPLE: Duration = Duration::from_secs(60);

    fn fail(board: Board, way: &str, limit: Duration) -> BoardError {
        let program = firmware::build(board, "failures", None).unwrap();
        let launch = Launch {
            program: &program.path(),
            image: &[],
            input: &format!("{way}\n"),
            plugin: None,
            limit,
        };
        match run(board, &launch, &mut |_| {}) {
            Err(Error::Board(error)) => error,
            other => panic!("{board}: {way} ends in {other:?}"),
        }
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
    fn a_plugin_is_found_from_any_folder() {
        let folder = env::current_dir().unwrap().display().to_string();
        let found = |plugin| whole(plugin).unwrap().into_string().unwrap();
        assert_eq!(found("a/b.so,floor=7"), format!("{folder}/a/b.so,floor=7"));
        assert_eq!(found("b.so"), format!("{folder}/b.so"));
        assert_eq!(found("/a/b.so"), "/a/b.so");
    }

    #[test]
    fn an_error_ends_the_run_with_its_message() {
        for board in Board::QEMU {
            assert_fails(board, "error", "error: as asked for");
        }
    }

    #[test]
    fn a_panic_ends_the_run_with_its_message() {
        for board in Board::QEMU {
            assert_fails(board, "panic", "panicked at failures/src/main.rs");
            assert_fails(board, "panic", "as asked for");
        }
    }

    #[test]
    fn a_fault_ends_the_run_with_its_place() {
        for board in Board::QEMU {
            let message = match board {
                Board::QemuRv32 => "exception 2 at 0x8000",
                Board::QemuM33 => "HardFault at 0x1000",
                _ => "HardFault at 0x0000",
            };
            assert_fails(board, "fault", message);
        }
    }

    /// The other machines have something that swallows writes below their RAM.
    #[test]
    fn a_stack_overflow_ends_the_run_where_nothing_lies_below_the_stack() {
        assert_fails(Board::QemuM0, "overflow", "Lockup");
    }

    #[test]
    fn a_hang_ends_at_the_time_limit() {
        for board in Board::QEMU {
            let error = fail(board, "hang", Duration::from_millis(500));
            assert!(
                matches!(error, BoardError::TimeLimit { .. }),
                "{board}: {error}"
            );
        }
    }

    #[test]
    fn endless_lines_end_at_the_time_limit() {
        for board in Board::QEMU {
            let error = fail(board, "babble", Duration::from_millis(500));
            assert!(
                matches!(error, BoardError::TimeLimit { .. }),
                "{board}: {error}"
            );
        }
    }
}
