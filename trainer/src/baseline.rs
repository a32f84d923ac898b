//! Densities that any flow has to beat: a single Gaussian and a mixture of Gaussians.

mod expectation_maximization;
mod gaussian;
mod mixture;
mod selection;

pub use gaussian::Gaussian;
pub use mixture::GaussianMixture;
