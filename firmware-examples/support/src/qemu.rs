//! Machines of QEMU, by semihosting.

#[cfg(target_arch = "arm")]
mod cortex_m;
#[cfg(target_arch = "riscv32")]
mod riscv32;

use core::fmt::{self, Display, Write as _};
use core::panic::PanicInfo;

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro128PlusPlus;
use semihosting::{
    experimental::env,
    io::{Stdout, Write as _, stdout},
    process,
};

#[cfg(target_arch = "arm")]
pub use cortex_m_rt::entry;
#[cfg(target_arch = "riscv32")]
pub use riscv_rt::entry;

use crate::{Board, Outcome};

/// 32 context values of eight digits and all else fit in twice.
const MAX_ARGUMENT_BYTES: usize = 1024;

/// The machine.
#[derive(Debug)]
pub struct Qemu {
    console: Console,
}

/// QEMU's standard output.
#[derive(Debug)]
pub struct Console(Stdout);

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write_all(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

impl Board for Qemu {
    type Console = Console;

    fn console(&mut self) -> &mut Console {
        &mut self.console
    }

    fn with_arguments<T>(&self, read: impl FnOnce(&mut dyn Iterator<Item = &str>) -> T) -> T {
        match env::args::<MAX_ARGUMENT_BYTES>() {
            // The first is the program's name; what is not UTF-8 is no number either.
            Ok(arguments) => read(&mut (&arguments).skip(1).map(Result::unwrap_or_default)),
            Err(_) => read(&mut core::iter::empty()),
        }
    }

    fn random(&self, seed: u64) -> impl Rng + use<> {
        Xoshiro128PlusPlus::seed_from_u64(seed)
    }

    fn exit(outcome: Outcome) -> ! {
        match outcome {
            Outcome::Success => process::ExitCode::SUCCESS.exit_process(),
            Outcome::Failure => process::ExitCode::FAILURE.exit_process(),
        }
    }
}

/// Runs an example to its end: success, or failure after its error on the console.
pub fn run<E: Display>(example: impl FnOnce(&mut Qemu) -> Result<(), E>) -> ! {
    let Ok(console) = stdout() else {
        Qemu::exit(Outcome::Failure)
    };
    let mut board = Qemu {
        console: Console(console),
    };
    match example(&mut board) {
        Ok(()) => Qemu::exit(Outcome::Success),
        Err(error) => fail(format_args!("error: {error}")),
    }
}

/// Ends the run with a message, by a console of its own: the example's may be in use.
fn fail(message: fmt::Arguments<'_>) -> ! {
    if let Ok(console) = stdout() {
        // A failure to write leaves the exit code to tell.
        let _ = writeln!(Console(console), "{message}");
    }
    Qemu::exit(Outcome::Failure)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    fail(format_args!("{info}"))
}
