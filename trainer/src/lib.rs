//! Fits RealNVP and flow-matching models to tables of numbers and writes them as files for the
//! [`flowlet`] runtime.
//!
//! ```text
//! data ─▶ fit ─▶ flow ─▶ export ─▶ bytes ─▶ flowlet::Model ─▶ evaluate
//!               import ─┘
//! ```
//!
//! Training happens here, in `f32` over [`ndarray`]. Whatever a trained model says, samples and
//! log-probabilities included, comes from the runtime crate.

pub mod baseline;
pub mod board;
pub mod comparison;
pub mod data;
pub mod error;
pub mod evaluation;
pub mod export;
pub mod fit;
pub mod flow;
pub mod flow_matching;
pub mod import;
pub mod inference;
pub mod metrics;
pub mod model_file;
pub mod nn;
pub mod optimizer;
pub mod outliers;
pub mod output;
pub mod plot;
pub mod quantize;
pub mod read_back;
pub mod real_nvp;
pub mod step_count;
pub mod threshold;
pub mod transport;
mod whitening;

pub use error::Error;
