#![no_std]
#![no_main]
//! Fails in the way that its input's first line names: `error`, `panic`, `fault`, `overflow`, `babble` or
//! `hang`.

use core::arch::asm;
use core::fmt::Write;
use core::hint::{black_box, spin_loop};

use support::{Board, Requests, ThisBoard};

#[support::entry]
fn main() -> ! {
    support::run(fail)
}

#[derive(Clone, Copy)]
enum Failure {
    Error,
    Panic,
    Fault,
    Overflow,
    Babble,
    Hang,
}

fn fail(board: &mut ThisBoard) -> Result<(), &'static str> {
    let mut requests = Requests::new();
    let line = requests.line(board).ok().flatten();
    let failure = line.and_then(Result::ok).and_then(by_name);
    match failure.ok_or("name a way to fail: error, panic, fault, overflow, babble or hang")? {
        Failure::Error => Err("as asked for"),
        Failure::Panic => panic!("as asked for"),
        Failure::Fault => fault(),
        Failure::Overflow => {
            black_box(descend(u32::MAX));
            Ok(())
        }
        Failure::Babble => babble(&mut board.console()),
        Failure::Hang => hang(),
    }
}

fn by_name(name: &str) -> Option<Failure> {
    Some(match name {
        "error" => Failure::Error,
        "panic" => Failure::Panic,
        "fault" => Failure::Fault,
        "overflow" => Failure::Overflow,
        "babble" => Failure::Babble,
        "hang" => Failure::Hang,
        _ => return None,
    })
}

/// Executes what is no instruction.
#[allow(unsafe_code, reason = "no safe code faults on every core")]
fn fault() -> ! {
    // SAFETY: the core goes to its fault handler, which does not come back.
    unsafe {
        #[cfg(target_arch = "arm")]
        asm!("udf #0", options(noreturn));
        #[cfg(target_arch = "riscv32")]
        asm!("unimp", options(noreturn));
    }
}

/// Deeper than any stack: each frame is needed again after the call.
fn descend(depth: u32) -> u32 {
    let frame = [depth; 64];
    let below = if depth == 0 { 0 } else { descend(depth - 1) };
    black_box(&frame)[0] ^ below
}

/// Lines without end.
fn babble(console: &mut impl Write) -> Result<(), &'static str> {
    loop {
        writeln!(console, "and").map_err(|_| "the console takes no text")?;
    }
}

fn hang() -> ! {
    loop {
        spin_loop();
    }
}
