#![no_std]
#[cfg(test)]
extern crate std;
mod normal;
mod normal_table;
pub use normal::StandardNormal;
