//! Power that nobody cuts on purpose.

use core::convert::Infallible;

/// Whatever the board has.
#[derive(Debug)]
pub(super) struct Supply;

impl Supply {
    pub(super) const fn new() -> Self {
        Self
    }

    /// Takes the power for a write.
    #[allow(clippy::unused_self, reason = "in QEMU there is something to take")]
    pub(super) const fn spend(&mut self) {}

    /// Flash keeps what is written.
    #[allow(clippy::unused_self, reason = "in QEMU there is something to take")]
    pub(super) const fn keep(&mut self, _: usize, _: &[u8]) -> Result<(), Infallible> {
        Ok(())
    }
}
