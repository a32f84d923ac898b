//! The log in QEMU: to the file that `-semihosting-config arg=…` names as `log=FILE`, and nowhere without.
//!
//! `defmt-semihosting` would write to where the console does.
#![allow(
    unsafe_code,
    reason = "defmt has one logger, whose state is in a static, and trusts it"
)]

use core::cell::UnsafeCell;
use core::ffi::CStr;

use defmt::Encoder;
use semihosting::experimental::env;
use semihosting::fs::File;
use semihosting::io::Write as _;

use super::{ARGUMENTS_LEN, path};

/// Bytes that wait for the end of a frame.
const BUFFER_LEN: usize = 64;

#[defmt::global_logger]
struct Logger;

static LOG: Shared = Shared(UnsafeCell::new(Log {
    encoder: Encoder::new(),
    is_in_frame: false,
    output: Output {
        file: None,
        is_known: false,
        buffer: [0; BUFFER_LEN],
        len: 0,
    },
}));

struct Shared(UnsafeCell<Log>);

// SAFETY: there is one core, and no interrupt that returns.
unsafe impl Sync for Shared {}

struct Log {
    encoder: Encoder,
    is_in_frame: bool,
    output: Output,
}

struct Output {
    file: Option<File>,
    /// Whether it was found out which file it is, if any.
    is_known: bool,
    buffer: [u8; BUFFER_LEN],
    len: usize,
}

// SAFETY: nothing else writes frames. Where it is taken already it does not panic, as the trait asks, for a panic or a
// fault amid a frame has to be logged: the frame is ended as it is, and its rest never comes. Each call is whole in
// itself.
unsafe impl defmt::Logger for Logger {
    fn acquire() {
        log(|log| {
            log.output.open();
            if log.is_in_frame {
                log.encoder.end_frame(|bytes| log.output.push(bytes));
            }
            log.is_in_frame = true;
            log.encoder.start_frame(|bytes| log.output.push(bytes));
        });
    }

    unsafe fn flush() {}

    unsafe fn release() {
        log(|log| {
            log.encoder.end_frame(|bytes| log.output.push(bytes));
            log.is_in_frame = false;
            log.output.write();
        });
    }

    unsafe fn write(bytes: &[u8]) {
        log(|log| log.encoder.write(bytes, |bytes| log.output.push(bytes)));
    }
}

fn log(work: impl FnOnce(&mut Log)) {
    // SAFETY: the logger's calls do not reach into one another, but for a fault's, which does not return.
    work(unsafe { &mut *LOG.0.get() });
}

impl Output {
    fn open(&mut self) {
        if self.is_known {
            return;
        }
        self.is_known = true;
        let Ok(arguments) = env::args::<ARGUMENTS_LEN>() else {
            return;
        };
        let mut names = (&arguments).flatten();
        if let Some(name) = names.find_map(|argument| argument.strip_prefix("log=")) {
            let path = path(name);
            let path = CStr::from_bytes_until_nul(&path).unwrap_or_default();
            self.file = File::create(path).ok();
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.len == BUFFER_LEN {
                self.write();
            }
            if let Some(place) = self.buffer.get_mut(self.len) {
                *place = *byte;
                self.len += 1;
            }
        }
    }

    fn write(&mut self) {
        if let Some(file) = &mut self.file {
            let written = self.buffer.get(..self.len).unwrap_or_default();
            // Who reads the log sees what is missing.
            let _ = file.write_all(written);
        }
        self.len = 0;
    }
}
