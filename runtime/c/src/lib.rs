#![cfg_attr(target_os = "none", no_std)]
#![deny(missing_docs)]
//! The `flowlet` runtime for programs in C: `include/flowlet.h` is written from this, and README.md says how
//! to build and link it.

#[cfg(target_os = "none")]
mod bare_metal;
mod error;
mod interface;
mod model;
mod random;

pub use error::flowlet_error;
pub use interface::*;
pub use model::{FLOWLET_MODEL_WORDS, flowlet_model};
pub use random::flowlet_random;
