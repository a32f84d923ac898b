//! Models on boards: build the firmware around a model, run it, read what it says.
//!
//! The boards are QEMU's so far. Their firmware is built from `firmware-examples` in the checkout
//! that this crate was built in.

mod emulator;
mod error;
pub mod firmware;
mod transcript;

use std::fmt;
use std::num::NonZeroU16;
use std::time::Duration;

use flowlet::{Kind, Model};
use ndarray::Array2;

pub use error::BoardError;

use crate::error::Error;
use crate::model_file::ModelFile;

/// A board that models run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Board {
    /// QEMU's `mps2-an386`.
    QemuM4,
    /// QEMU's `microbit`.
    QemuM0,
}

#[derive(Debug)]
struct Facts {
    name: &'static str,
    description: &'static str,
    target: &'static str,
    machine: &'static str,
    flash_len: usize,
    /// What a multiply-add takes in QEMU, measured on one core of a slow host.
    time_per_mac: Duration,
}

static QEMU_M4: Facts = Facts {
    name: "qemu-m4",
    description: "Cortex-M4F with 4 MB of RAM, in QEMU (mps2-an386)",
    target: "thumbv7em-none-eabihf",
    machine: "mps2-an386",
    flash_len: 4 << 20,
    time_per_mac: Duration::from_nanos(100),
};

static QEMU_M0: Facts = Facts {
    name: "qemu-m0",
    description: "Cortex-M0 with 16 KB of RAM and 256 KB of flash, in QEMU (microbit)",
    target: "thumbv6m-none-eabi",
    machine: "microbit",
    flash_len: 256 << 10,
    time_per_mac: Duration::from_nanos(1000),
};

impl Board {
    /// Every board there is.
    pub const ALL: [Self; 2] = [Self::QemuM4, Self::QemuM0];

    /// The board called `name`.
    ///
    /// # Errors
    ///
    /// [`BoardError::Unknown`], which tells the names there are.
    pub fn from_name(name: &str) -> Result<Self, BoardError> {
        let found = Self::ALL.into_iter().find(|board| board.name() == name);
        found.ok_or_else(|| BoardError::Unknown { name: name.into() })
    }

    /// What `--board` calls it.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// The core, the memory and the machine, in a line.
    pub fn description(self) -> &'static str {
        self.facts().description
    }

    /// Rust's name for what it executes.
    pub fn target(self) -> &'static str {
        self.facts().target
    }

    /// Bytes of flash.
    pub fn flash_len(self) -> usize {
        self.facts().flash_len
    }

    /// QEMU's name for it.
    fn machine(self) -> &'static str {
        self.facts().machine
    }

    /// What `mac_count` multiply-adds take at most.
    fn time(self, mac_count: u64) -> Duration {
        let nanoseconds = self.facts().time_per_mac.as_nanos() as u64;
        Duration::from_nanos(nanoseconds.saturating_mul(mac_count))
    }

    fn facts(self) -> &'static Facts {
        match self {
            Self::QemuM4 => &QEMU_M4,
            Self::QemuM0 => &QEMU_M0,
        }
    }
}

impl fmt::Display for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a board shall sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Number of samples.
    pub n: u32,
    /// Seed of the board's random source, `Xoshiro128PlusPlus`.
    pub seed: u64,
    /// Euler steps, where not the model's own number; a RealNVP takes none.
    pub step_count: Option<NonZeroU16>,
    /// What all samples are conditioned on: as many numbers as the model takes.
    pub context: Vec<f32>,
    /// When the run is stopped; by default ten times what it may take, and a minute.
    pub time_limit: Option<Duration>,
}

/// What a board said.
#[derive(Clone, Debug)]
pub struct BoardRun {
    /// `[n, dim]`, to the bit.
    pub samples: Array2<f32>,
    /// `ln p` of each sample, if the model has it.
    pub log_probs: Option<Vec<f32>>,
    /// All the board's lines.
    pub transcript: String,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The firmware is being built, which takes seconds, the first time a minute.
    Building,
    /// The board has this many samples.
    Sampled(u32),
}

/// Multiply-adds that the board does for one sample: with its log-probability for a RealNVP, with
/// all its steps for flow matching.
pub fn macs_per_sample(model: &Model<'_>, step_count: Option<NonZeroU16>) -> u64 {
    let passes = match model.kind() {
        Kind::RealNvp { .. } => 2,
        Kind::FlowMatching { step_count: own } => step_count.unwrap_or(own).get(),
    };
    u64::from(passes) * model.mac_count() as u64
}

/// As many samples as the board does in a few seconds, 1 to 1000.
pub fn default_n(board: Board, macs_per_sample: u64) -> u32 {
    const FEW_SECONDS: Duration = Duration::from_secs(3);
    let n = FEW_SECONDS.as_nanos() / board.time(macs_per_sample).as_nanos().max(1);
    n.clamp(1, 1000) as u32
}

/// Builds the firmware around `file`'s model, runs it, and gives back what it said.
///
/// Runs may go on at the same time; their builds wait for one another.
///
/// # Errors
///
/// [`Error::Model`] where the file is no model, [`Error::Board`] with what is missing, too large,
/// or went wrong on the board, [`Error::Io`] where the build has no place.
pub fn run(
    board: Board,
    file: &ModelFile,
    request: &Request,
    progress: &mut dyn FnMut(Progress),
) -> Result<BoardRun, Error> {
    let model = file.model()?;
    check_request(&model, request)?;
    check_flash(board, file.bytes().len())?;
    emulator::check()?;
    progress(Progress::Building);
    let program = firmware::build(board, "sampler", Some(file))?;
    let mut sampled = 0;
    let transcript = emulator::run(
        board,
        &program.path(),
        &arguments(request),
        time_limit(board, &model, request),
        &mut |line| {
            if transcript::is_sample(line) {
                sampled += 1;
                progress(Progress::Sampled(sampled));
            }
        },
    )?;
    Ok(transcript::parse(transcript, &model, request.n)?)
}

fn check_request(model: &Model<'_>, request: &Request) -> Result<(), BoardError> {
    if request.context.len() != model.context_dim() {
        return Err(BoardError::Context {
            expected: model.context_dim(),
            found: request.context.len(),
        });
    }
    match request.context.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(BoardError::NotFinite { index }),
        None => Ok(()),
    }
}

fn check_flash(board: Board, model_len: usize) -> Result<(), BoardError> {
    let flash_len = board.flash_len();
    if model_len + firmware::MAX_CODE_LEN <= flash_len {
        return Ok(());
    }
    Err(BoardError::TooLarge {
        board,
        model_len,
        code_len: firmware::MAX_CODE_LEN,
        flash_len,
    })
}

/// The firmware's arguments; context values go as bits, so that they arrive as they are.
fn arguments(request: &Request) -> Vec<String> {
    let step_count = request.step_count.map_or(0, NonZeroU16::get);
    let mut arguments = vec![
        request.n.to_string(),
        request.seed.to_string(),
        step_count.to_string(),
    ];
    let context = request.context.iter();
    arguments.extend(context.map(|value| format!("{:08x}", value.to_bits())));
    arguments
}

fn time_limit(board: Board, model: &Model<'_>, request: &Request) -> Duration {
    request.time_limit.unwrap_or_else(|| {
        let mac_count = macs_per_sample(model, request.step_count) * u64::from(request.n);
        Duration::from_secs(60) + board.time(mac_count.saturating_mul(10))
    })
}
