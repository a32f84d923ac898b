//! The power that a flash has, and what outlives it.

use core::ffi::CStr;

use semihosting::experimental::env;
use semihosting::fs::File;
use semihosting::io::{self, Seek as _, SeekFrom, Write as _};

use crate::qemu::{ARGUMENTS_LEN, fail, path};

/// What QEMU's `-semihosting-config arg=…` says of the flash: with `flash=FILE`, every write goes to that file
/// too, so that the next run can start with what this one leaves, however it ends; with `cut=N`, the run ends
/// before the write after `N` writes of a word and erasures of a page.
#[derive(Debug)]
pub(super) struct Supply {
    file: Option<File>,
    /// Writes that are left.
    left: Option<u32>,
}

impl Supply {
    /// As the arguments say; endless and without a file where there are none.
    pub(super) fn new() -> Self {
        let mut supply = Self {
            file: None,
            left: None,
        };
        if let Ok(arguments) = env::args::<ARGUMENTS_LEN>() {
            for argument in (&arguments).flatten() {
                match argument.split_once('=') {
                    Some(("flash", name)) => supply.file = Some(open(name)),
                    Some(("cut", count)) => supply.left = count.parse().ok(),
                    _ => {}
                }
            }
        }
        supply
    }

    /// Takes the power for a write.
    pub(super) fn spend(&mut self) {
        self.left = match self.left {
            Some(0) => fail(format_args!("the power is cut")),
            left => left.map(|left| left - 1),
        };
    }

    /// Writes `bytes` to the file at `offset`.
    pub(super) fn keep(&mut self, offset: usize, bytes: &[u8]) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        file.seek(SeekFrom::Start(offset as u64))?;
        file.write_all(bytes)
    }
}

/// A run that could not keep its flash would tell nothing.
fn open(name: &str) -> File {
    let path = path(name);
    let path = CStr::from_bytes_until_nul(&path).unwrap_or_default();
    match File::options().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(_) => fail(format_args!("cannot open the flash's file {name}")),
    }
}
