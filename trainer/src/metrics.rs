//! How far samples are from data, and how log-probabilities are spread over rows.
//!
//! Each distance comes for a pair of sets and prepared for one set, where the work on that one is done
//! once for any number of others. All are computed on all threads, and the same sets have the same
//! distance whatever their number.

mod energy_distance;
mod mmd;
mod modes;
mod pairs;
mod row_spread;
mod sliced_w2;
mod two_sample_test;

pub use energy_distance::{EnergyDistance, energy_distance, energy_distances};
pub use mmd::{BANDWIDTHS, Mmd, squared_mmd};
pub use modes::{Modes, modes};
pub use row_spread::RowSpread;
pub use sliced_w2::{SlicedW2, sliced_w2, sliced_w2s};
pub use two_sample_test::two_sample_accuracy;
