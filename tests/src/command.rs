//! The command `flowlet`, run as a person runs it: by a line, in a folder.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::build::{Output as Built, build};

/// A folder of its own, gone when it is dropped, in which commands run.
#[derive(Debug)]
pub struct Folder(TempDir);

impl Folder {
    /// An empty folder.
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("there is a place for temporary files"))
    }

    /// The path of the file called `name`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect("the folder takes files");
    }

    /// Copies a file of this package here, under its own name.
    pub fn copy(&self, path: &str) {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let name = from.file_name().and_then(OsStr::to_str);
        let content = fs::read(&from).expect("the package has the file");
        self.write(name.expect("the name is UTF-8"), content);
    }

    /// The content of a file.
    ///
    /// # Panics
    ///
    /// If there is no such file.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The content of a file that is text.
    ///
    /// # Panics
    ///
    /// If there is no such file, or it is not UTF-8.
    pub fn text(&self, name: &str) -> String {
        let text = String::from_utf8(self.read(name));
        // The error has all bytes, of what may be a program.
        text.unwrap_or_else(|error| panic!("{name}: {}", error.utf8_error()))
    }

    /// `flowlet` with the words of `line`, to run here.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(flowlet());
        command
            .current_dir(self.0.path())
            .args(line.split_whitespace());
        command
    }

    /// Runs `flowlet` with the words of `line` and gives what it prints.
    ///
    /// # Panics
    ///
    /// If it fails, or says anything on standard error but how far a training has come.
    pub fn succeed(&self, line: &str) -> String {
        let output = run(&mut self.command(line));
        let (printed, said) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "flowlet {line}\n{said}");
        // On a slow machine a training is long enough to tell.
        let is_progress = |line: &str| line.starts_with("step ");
        assert!(said.lines().all(is_progress), "flowlet {line}\n{said}");
        printed
    }

    /// Runs `flowlet` with the words of `line` and `--json`, and gives the object that it prints.
    ///
    /// # Panics
    ///
    /// If it fails or prints anything else.
    pub fn json(&self, line: &str) -> Value {
        let printed = self.succeed(&format!("{line} --json"));
        serde_json::from_str(&printed).expect("what is printed is JSON")
    }

    /// Runs `flowlet` with the words of `line`, which are wrong, and gives the sentence that says
    /// why.
    ///
    /// # Panics
    ///
    /// If it succeeds, panics, prints anything on standard output, says anything but one error, or
    /// leaves another file behind or changes one.
    pub fn fail(&self, line: &str) -> String {
        let before = self.contents();
        let output = run(&mut self.command(line));
        let said = text(&output.stderr);
        // A panic ends with 101, a signal with none.
        let code = output.status.code();
        assert!(
            matches!(code, Some(1 | 2)),
            "flowlet {line}\n{code:?} {said}"
        );
        assert_eq!(text(&output.stdout), "", "flowlet {line}");
        assert!(self.contents() == before, "flowlet {line}: files changed");
        let is_error = |line: &&str| line.contains("error:") || line.contains("panicked");
        let errors: Vec<&str> = said.lines().filter(is_error).collect();
        let [error] = errors.as_slice() else {
            panic!("flowlet {line}: {said}");
        };
        let sentence = error.strip_prefix("error: ");
        sentence
            .unwrap_or_else(|| panic!("flowlet {line}: {said}"))
            .into()
    }

    /// All files and folders directly here; a folder has no content.
    fn contents(&self) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let entries = fs::read_dir(self.0.path()).expect("the folder is there");
        let paths = entries.map(|entry| entry.expect("an entry can be read").path());
        paths
            .map(|path| (path.clone(), fs::read(path).ok()))
            .collect()
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

/// Far beyond what any command takes, the compilation of a board's firmware and all it needs included.
const TIME_LIMIT: Duration = Duration::from_secs(900);

/// Runs a command to its end, without input.
///
/// # Panics
///
/// If it does not start, or is still running after a quarter of an hour.
pub fn run(command: &mut Command) -> Output {
    run_within(command, TIME_LIMIT)
}

fn run_within(command: &mut Command, limit: Duration) -> Output {
    let pipes = command.stdin(Stdio::null()).stdout(Stdio::piped());
    let child = pipes.stderr(Stdio::piped()).spawn();
    let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let id = child.id();
    let (done, is_done) = channel::<()>();
    let watch = thread::spawn(move || {
        let is_late = is_done.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
        if is_late {
            kill(id);
        }
        is_late
    });
    let output = child.wait_with_output();
    drop(done);
    let is_late = watch.join().expect("the watch only waits");
    assert!(!is_late, "{command:?} ran for more than {limit:?}");
    output.unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn kill(id: u32) {
    let killed = Command::new("kill")
        .args(["-s", "KILL", &id.to_string()])
        .status();
    // It may have ended by itself.
    let _ = killed.expect("there is a command that kills");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("flowlet speaks UTF-8")
}

/// The path of the command: cargo tells it to the tests of the command's own package only.
fn flowlet() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| build("flowlet-trainer", Built::Program("flowlet")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "ran for more than 100ms")]
    fn a_command_without_an_end_is_told() {
        run_within(Command::new("sleep").arg("60"), Duration::from_millis(100));
    }
}
