//! Bytes from the serial line that no one has read yet: an interrupt puts them in, so that none is
//! lost while the example samples.

use core::cell::RefCell;

use critical_section::Mutex;
use heapless::Deque;

use super::LOST;

/// Takes in the longest line, and a part of the next.
const LEN: usize = 1024;

/// A queue between the interrupt and the example.
pub(super) struct Received(Mutex<RefCell<Deque<u8, LEN>>>);

impl Received {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(RefCell::new(Deque::new())))
    }

    /// Takes in a byte, or that there was one that could not be read.
    pub(super) fn push(&self, byte: Option<u8>) {
        critical_section::with(|cs| {
            let mut bytes = self.0.borrow_ref_mut(cs);
            if bytes.push_back(byte.unwrap_or(LOST)).is_err()
                && let Some(last) = bytes.back_mut()
            {
                *last = LOST;
            }
        });
    }

    /// Waits for bytes, asleep, and gives those that there are and fit.
    pub(super) fn read(&self, bytes: &mut [u8]) -> usize {
        loop {
            let count = critical_section::with(|cs| {
                let mut received = self.0.borrow_ref_mut(cs);
                let taken = bytes.iter_mut().map_while(|byte| {
                    *byte = received.pop_front()?;
                    Some(())
                });
                let count = taken.count();
                if count == 0 {
                    // Whatever has come since the look wakes the core, if only pending.
                    cortex_m::asm::wfi();
                }
                count
            });
            if count > 0 || bytes.is_empty() {
                return count;
            }
        }
    }
}
