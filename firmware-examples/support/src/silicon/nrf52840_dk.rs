//! Nordic's nRF52840-DK: a Cortex-M4F of 64 MHz.
//!
//! The console is UARTE0 on P0.06 (to the computer) and P0.08 (from it), which the board's debugger
//! passes on over USB. Random words are those of the RNG peripheral, with its bias corrected.
#![allow(
    unsafe_code,
    reason = "the last words take the line from whatever holds it"
)]

use core::cell::RefCell;
use core::fmt;

use critical_section::Mutex;
use embassy_futures::block_on;
use embassy_nrf::buffered_uarte::{self, BufferedUarte};
use embassy_nrf::gpio::{Level, Output, OutputDrive};
use embassy_nrf::mode::Blocking;
use embassy_nrf::{bind_interrupts, config::HfclkSource, pac, peripherals, rng::Rng as Random, uarte};
use flowlet_protocol::Spent;
use rand_core::Rng;

pub use cortex_m_rt::entry;

use super::{cycles, say_farewell, source::Source};
use crate::{Board, ConsoleError, Outcome};

bind_interrupts!(struct Interrupts {
    UARTE0 => buffered_uarte::InterruptHandler<peripherals::UARTE0>;
});

/// Takes in the longest line, and a part of the next.
const INPUT_LEN: usize = 1024;
const OUTPUT_LEN: usize = 256;
