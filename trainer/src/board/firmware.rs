//! The programs for boards, built from `firmware-examples` by cargo.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use flowlet::Precision;
use tempfile::TempDir;

use super::{Board, BoardError, Level, Log};
use crate::error::Error;
use crate::model_file::ModelFile;
use crate::output::write_whole;

/// A program for a board, in a folder of its own that goes with it.
#[derive(Debug)]
pub struct Program {
    folder: TempDir,
}

impl Program {
    /// The ELF file.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("program.elf")
    }

    /// Keeps the ELF file at `path` too.
    pub(super) fn keep(&self, path: &Path) -> Result<(), Error> {
        let built = self.path();
        let bytes = fs::read(&built).map_err(io("read", &built))?;
        write_whole(path, |file| file.write_all(&bytes))
    }
}

/// Where the program is that a run is to use: the one given, or else `package`, built.
#[derive(Debug)]
pub(super) enum Chosen {
    Given(PathBuf),
    Built(Program),
}

impl Chosen {
    /// The one at `path`.
    pub(super) fn given(path: &Path) -> Result<Self, Error> {
        match path.is_file() {
            true => Ok(Self::Given(path.into())),
            false => Err(BoardError::NoProgram { path: path.into() }.into()),
        }
    }

    /// One that logs, if there is a log; of one that is given, its log will tell whether it does.
    pub(super) fn with_log(
        board: Board,
        package: &str,
        given: Option<&Path>,
        log: Option<&Log>,
    ) -> Result<Self, Error> {
        let level = log.map(|log| log.level);
        match (given, level) {
            (Some(path), _) => Self::given(path),
            (None, None) => build(board, package, None).map(Self::Built),
            (None, Some(level)) => build_logging(board, package, level).map(Self::Built),
        }
    }

    pub(super) fn path(&self) -> PathBuf {
        match self {
            Self::Given(path) => path.clone(),
            Self::Built(program) => program.path(),
        }
    }
}

/// Builds the example called `package`, as most are: see [`Build`].
///
/// # Errors
///
/// As [`Build::run`].
pub fn build(board: Board, package: &str, model: Option<&ModelFile>) -> Result<Program, Error> {
    let build = Build::new(board, package);
    Build { model, ..build }.run()
}

/// Builds an example that logs.
///
/// # Errors
///
/// As [`Build::run`].
pub fn build_logging(board: Board, package: &str, level: Level) -> Result<Program, Error> {
    let level = Some(level);
    let build = Build::new(board, package);
    Build { level, ..build }.run()
}

/// Builds several examples by one call of cargo, which compiles and links them side by side.
///
/// Each is the program that it is alone, as long as all ask for the same features of what they share.
///
/// # Errors
///
/// As [`Build::run`].
pub fn build_together(
    board: Board,
    packages: &[&str],
    level: Option<Level>,
) -> Result<Vec<Program>, Error> {
    // Which of them it is does not matter: all are named when it is built.
    let build = Build::new(board, "");
    let built = Build { level, ..build }.build(packages)?;
    packages.iter().map(|package| built.take(package)).collect()
}

/// A build of an example.
#[derive(Clone, Copy, Debug)]
pub struct Build<'b> {
    /// What it is built for.
    pub board: Board,
    /// The example's name.
    pub package: &'b str,
    /// More of the examples' features than those of the board, the model and the log, parted by commas.
    pub features: &'b str,
    /// What it is built around, if it is: most find theirs in flash.
    pub model: Option<&'b ModelFile>,
    /// Of the examples' profiles.
    pub profile: &'b str,
    /// What it logs, if it does.
    pub level: Option<Level>,
}

impl<'b> Build<'b> {
    /// With the profile `release`, and nothing more than the example itself.
    pub const fn new(board: Board, package: &'b str) -> Self {
        Self {
            board,
            package,
            features: "",
            model: None,
            profile: "release",
            level: None,
        }
    }

    /// Builds it; builds of one checkout wait for one another.
    ///
    /// # Errors
    ///
    /// [`Error::Board`] where the source or Rust's target is missing or the build fails, [`Error::Io`]
    /// where the build has no place.
    pub fn run(&self) -> Result<Program, Error> {
        self.build(&[self.package])?.take(self.package)
    }

    fn build(&self, packages: &[&str]) -> Result<Built, Error> {
        let source = source()?;
        check_target(self.board)?;
        let features = self.all_features()?;
        let target = source.join("target");
        fs::create_dir_all(&target).map_err(io("create", &target))?;

        // The model's place and cargo's are the same for all runs.
        let lock_path = target.join("flowlet.lock");
        let lock = File::create(&lock_path).map_err(io("create", &lock_path))?;
        lock.lock().map_err(io("lock", &lock_path))?;

        let mut cargo = self.cargo(packages, &features, &source);
        if let Some(model) = self.model {
            let path = target.join("model.flow");
            place(&path, model.bytes())?;
            cargo.env("FLOWLET_MODEL", path);
        }
        if let Some(level) = self.level {
            // defmt's macros are built anew where it is another.
            cargo.env("DEFMT_LOG", level.name());
        }
        check_built(self.board, &mut cargo)?;
        Ok(Built {
            folder: target.join(self.board.target()).join(self.profile),
            _lock: lock,
        })
    }

    fn all_features(&self) -> Result<String, Error> {
        let mut features = vec![self.board.name()];
        if let Some(model) = self.model
            && model.model()?.description().net.precision == Precision::F32
        {
            // Of which an example may go without, for integer nets.
            features.push("flowlet/f32");
        }
        if self.level.is_some() {
            features.push("defmt");
        }
        if !self.features.is_empty() {
            features.push(self.features);
        }
        Ok(features.join(","))
    }

    fn cargo(&self, packages: &[&str], features: &str, source: &Path) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        let foreign = env::vars_os().map(|(name, _)| name);
        for name in foreign.filter(|name| is_foreign(&name.to_string_lossy())) {
            cargo.env_remove(name);
        }
        cargo
            .current_dir(source)
            .args(["build", "--profile", self.profile, "--quiet", "--locked"])
            .args(packages.iter().flat_map(|package| ["--package", package]))
            .args(["--features", features])
            .args(["--target", self.board.target(), "--target-dir", "target"]);
        cargo
    }
}

/// Where cargo has put programs; until this goes, no other build replaces them.
#[derive(Debug)]
struct Built {
    folder: PathBuf,
    _lock: File,
}

impl Built {
    /// Copies a program out of the way of the next build.
    fn take(&self, package: &str) -> Result<Program, Error> {
        let built = self.folder.join(package);
        let folder = tempfile::tempdir().map_err(io("create", &env::temp_dir()))?;
        let program = Program { folder };
        fs::copy(&built, program.path()).map_err(io("copy", &built))?;
        Ok(program)
    }
}

/// The workspace with the examples.
pub(super) fn source() -> Result<PathBuf, BoardError> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("firmware-examples");
    if folder.join("Cargo.toml").is_file() {
        Ok(folder)
    } else {
        Err(BoardError::NoSource {
            folder: folder.display().to_string(),
        })
    }
}

/// Asks rustc rather than rustup, which not everyone has.
pub(super) fn check_target(board: Board) -> Result<(), BoardError> {
    let target = board.target();
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let output = rustc
        .args(["--print", "target-libdir", "--target", target])
        .output()
        .map_err(start("rustc"))?;
    let folder = String::from_utf8_lossy(&output.stdout);
    if Path::new(folder.trim_end()).is_dir() {
        Ok(())
    } else {
        Err(BoardError::NoTarget { target })
    }
}

/// Whether a variable is meant for the host's builds, or left by the cargo that runs this program.
///
/// What tells cargo where its home, the network and the registries are is for every build.
fn is_foreign(name: &str) -> bool {
    const SHARED: [&str; 6] = [
        "CARGO_BUILD_JOBS",
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTR",
        "CARGO_TERM_",
    ];
    let shared = SHARED.iter().any(|prefix| name.starts_with(prefix));
    name == "RUSTFLAGS" || name.starts_with("CARGO_") && !shared
}

/// Writes the model, unless it lies there: its time tells cargo whether to build again.
fn place(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if fs::read(path).is_ok_and(|placed| placed == bytes) {
        return Ok(());
    }
    fs::write(path, bytes).map_err(io("write", path))
}

fn check_built(board: Board, cargo: &mut Command) -> Result<(), BoardError> {
    let output = cargo.output().map_err(start("cargo"))?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr).trim_end().into();
    Err(BoardError::Build { board, message })
}

fn start(program: &str) -> impl FnOnce(std::io::Error) -> BoardError {
    move |source| BoardError::Start {
        program: program.into(),
        source,
    }
}

fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    move |source| Error::Io {
        action,
        path: path.into(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_for_the_host_stays_with_the_host() {
        for name in [
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_MANIFEST_DIR",
            "CARGO_PROFILE_RELEASE_OPT_LEVEL",
            "CARGO_TARGET_DIR",
            "CARGO_TARGET_THUMBV6M_NONE_EABI_RUSTFLAGS",
            "RUSTFLAGS",
        ] {
            assert!(is_foreign(name), "{name}");
        }
        for name in [
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "PATH",
            "RUSTUP_TOOLCHAIN",
        ] {
            assert!(!is_foreign(name), "{name}");
        }
    }

    #[test]
    fn a_model_that_lies_there_is_not_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.flow");
        let time = || fs::metadata(&path).unwrap().modified().unwrap();
        place(&path, b"one").unwrap();
        let first = std::time::SystemTime::UNIX_EPOCH;
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(first)
            .unwrap();
        place(&path, b"one").unwrap();
        assert_eq!(time(), first);
        place(&path, b"two").unwrap();
        assert_ne!(time(), first);
        assert_eq!(fs::read(&path).unwrap(), b"two");
    }
}
