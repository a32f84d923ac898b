//! Machines of QEMU, by semihosting.

#[cfg(target_arch = "arm")]
mod cortex_m;
#[cfg(feature = "defmt")]
mod log;
#[cfg(target_arch = "riscv32")]
mod riscv32;

use core::fmt::{self, Display, Write as _};
use core::panic::PanicInfo;

use flowlet_protocol::Spent;
use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;
use semihosting::{
    io::{Read as _, Stdin, Stdout, Write as _, stdin, stdout},
    process,
};

#[cfg(target_arch = "arm")]
pub use cortex_m_rt::entry;
#[cfg(target_arch = "riscv32")]
pub use riscv_rt::entry;

#[cfg(target_arch = "arm")]
use cortex_m::Counter;
#[cfg(target_arch = "riscv32")]
use riscv32::Counter;

use crate::log::{Logged, last_words};
use crate::{Board, ConsoleError, Outcome, error};

/// Bytes of all arguments that QEMU passes on, at most.
pub(crate) const ARGUMENTS_LEN: usize = 80;

/// The machine.
///
/// It counts instructions where QEMU is started with `-icount shift=0`, and else the time.
#[derive(Debug)]
pub struct Qemu {
    input: Stdin,
    output: Stdout,
}

impl Board for Qemu {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, ConsoleError> {
        self.input.read(bytes).map_err(|_| ConsoleError)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), ConsoleError> {
        self.output.write_all(bytes).map_err(|_| ConsoleError)
    }

    fn random(&self, seed: Option<u64>) -> impl Rng + use<> {
        Xoshiro128PlusPlus::seed_from_u64(seed.unwrap_or(0))
    }

    fn count<R>(&mut self, work: impl FnOnce() -> R) -> (R, Option<Spent>) {
        let counter = Counter::start();
        let result = work();
        (result, counter.instructions().map(Spent::Instructions))
    }

    fn exit(outcome: Outcome) -> ! {
        match outcome {
            Outcome::Success => process::ExitCode::SUCCESS.exit_process(),
            Outcome::Failure => process::ExitCode::FAILURE.exit_process(),
        }
    }
}

impl Qemu {
    fn new() -> Option<Self> {
        let (input, output) = (stdin().ok()?, stdout().ok()?);
        Some(Self { input, output })
    }
}

/// Runs an example to its end: success, or failure after its error on the console.
pub fn run<E: Display + Logged>(example: impl FnOnce(&mut Qemu) -> Result<(), E>) -> ! {
    let Some(mut board) = Qemu::new() else {
        Qemu::exit(Outcome::Failure)
    };
    match example(&mut board) {
        Ok(()) => Qemu::exit(Outcome::Success),
        Err(error) => {
            error!("{}", error);
            end(format_args!("error: {error}"))
        }
    }
}

/// Ends the run with a message.
pub(crate) fn fail(message: fmt::Arguments<'_>) -> ! {
    last_words(&message);
    end(message)
}

/// By a console of its own: the example's may be in use.
fn end(message: fmt::Arguments<'_>) -> ! {
    if let Some(mut board) = Qemu::new() {
        // A failure to write leaves the exit code to tell.
        let _ = writeln!(board.console(), "{message}");
    }
    Qemu::exit(Outcome::Failure)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    fail(format_args!("{info}"))
}

/// A file's name as the computer takes it, with a zero after it.
pub(crate) fn path(name: &str) -> [u8; ARGUMENTS_LEN + 1] {
    let mut path = [0; ARGUMENTS_LEN + 1];
    let bytes = path.iter_mut().take(ARGUMENTS_LEN).zip(name.bytes());
    bytes.for_each(|(to, from)| *to = from);
    path
}
