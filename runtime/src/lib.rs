#![no_std]
#![deny(missing_docs)]
#![deny(unsafe_code)]
//! Samples and exact log-probabilities from generative flows, straight from flash: no heap, no
//! panic, and the same bits on every target.
//!
//! A model file, written by the command `flowlet`, holds a RealNVP or a velocity field trained by
//! flow matching. [`Model::from_bytes`] checks all of it once, and a [`Sampler`] or [`Density`] its
//! sizes when it is made; after that nothing can fail.
//!
//! ```
//! use flowlet::{Model, Scratch, include_model};
//! use rand_xoshiro::{Xoshiro128PlusPlus, rand_core::SeedableRng};
//!
//! static MOONS: &[u8] = include_model!("moons.flow");
//!
//! let model = Model::from_bytes(MOONS)?;
//! let mut scratch = Scratch::<34>::new();
//! let mut rng = Xoshiro128PlusPlus::seed_from_u64(7);
//!
//! let mut x = [0.0; 2];
//! model.sampler(&mut scratch)?.sample(&mut rng, &mut x);
//! let log_p = model.density(&mut scratch)?.log_prob(&x);
//! assert!(log_p > -10.0);
//! # Ok::<(), flowlet::Error>(())
//! ```
//!
//! # Two ways in
//!
//! [`Sampler`] and [`Density`] are for firmware: dimension and sizes are checked when they are
//! made, and their methods return plain values. [`RealNvp`] and [`VelocityField`] are the flows
//! themselves, for tools that learn the dimension at run time: they take slices and check the
//! lengths at each call; and on a host, whole tables at once, with a [`BatchScratch`].
//!
//! # Conventions
//!
//! - `forward` takes data `x` to the latent `z`, `inverse` takes `z` to `x`, as Dinh et al. (2017)
//!   and Zuko have it; FlowJAX has it the other way round.
//! - Time `t = 0` is noise, `t = 1` is data.
//! - Log-probabilities are in nats, in the units of the data: standardization is part of the model.
//! - Values beyond the range of `f32` become infinite or NaN, as the arithmetic has it; points
//!   that are not finite give points and log-probabilities that are not. A net may hide an infinite
//!   number, such as a context's or that of a point from its velocity: activations level off, and
//!   nets in integers cut their inputs off. All NaNs that a flow gives have the same bits.
//!
//! # Features
//!
//! | feature | what it does |
//! |---|---|
//! | `f32` | runs nets of 32-bit floating point too, on by default; integer nets need it not |
//! | `dsp` | uses the DSP extension of an Armv8-M Mainline core, such as a Cortex-M33, that has it; others need no telling |
//! | `defmt` | derives `defmt::Format` for errors, kinds and [`StandardNormal`] |

#[cfg(test)]
extern crate std;

#[cfg(feature = "f32")]
mod activation;
mod coupling;
mod crc;
mod density;
mod error;
pub mod format;
mod include;
mod kernel;
mod mlp;
mod model;
mod normal;
mod normal_table;
mod real_nvp;
mod sampler;
mod scratch;
mod slices;
mod solver;
mod standardization;
mod steps;
mod threshold;
mod tile;
mod velocity;

pub use density::Density;
pub use error::Error;
pub use format::{Activation, Kind, Precision};
pub use include::Aligned;
#[cfg(feature = "kernels")]
#[doc(hidden)]
pub use kernel::trial;
pub use model::{Flow, Model};
pub use normal::StandardNormal;
pub use real_nvp::RealNvp;
pub use sampler::Sampler;
pub use scratch::{MAX_SCRATCH_LEN, Scratch};
pub use solver::euler;
pub use steps::Steps;
pub use threshold::Threshold;
pub use tile::BatchScratch;
pub use velocity::VelocityField;

/// Compiles the README's code.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
