//! How far samples are from data.
//!
//! Each distance comes for a pair of sets and for many sets against one, where the work on that one is
//! shared. Both are computed on all threads, and the same sets have the same distance whatever their
//! number.

mod energy_distance;
mod sliced_w2;

pub use energy_distance::{energy_distance, energy_distances};
pub use sliced_w2::{sliced_w2, sliced_w2s};
