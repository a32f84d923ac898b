#![no_std]
//! Samples and exact log-probabilities from generative flows, straight from flash.
#![deny(missing_docs)]

#[cfg(test)]
extern crate std;

pub mod format;
mod normal;
mod normal_table;

pub use normal::StandardNormal;
