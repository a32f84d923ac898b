//! The caller's random source.

use core::convert::Infallible;
use core::ffi::c_void;

use rand_core::TryRng;

/// A function that gives 32 random bits at each call.
#[allow(non_camel_case_types, reason = "a name of C")]
pub type flowlet_random = Option<unsafe extern "C" fn(state: *mut c_void) -> u32>;

/// The function and what it works on.
pub(crate) struct Source {
    pub(crate) random: unsafe extern "C" fn(state: *mut c_void) -> u32,
    pub(crate) state: *mut c_void,
}

impl Source {
    #[allow(unsafe_code, reason = "the function is the caller's")]
    fn word(&mut self) -> u32 {
        // SAFETY: whoever made this says that the function takes this state.
        unsafe { (self.random)(self.state) }
    }
}

impl TryRng for Source {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.word())
    }

    /// The first word is the low one, as generators of 32 bits have it.
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let low = u64::from(self.word());
        Ok(u64::from(self.word()) << 32 | low)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(size_of::<u32>()) {
            let word = self.word().to_le_bytes();
            chunk.iter_mut().zip(word).for_each(|(to, from)| *to = from);
        }
        Ok(())
    }
}
