//! Log-probabilities, for firmware.

use crate::real_nvp::RealNvp;
use crate::scratch::Workspace;

/// The log-probability of points `[f32; DIM]`; [`Model::density`](crate::Model::density) makes it.
///
/// # Cost
///
/// [`Model::mac_count`](crate::Model::mac_count) multiply-adds a point.
///
/// ```
/// use flowlet::{Model, Scratch, include_model};
///
/// let model = Model::from_bytes(include_model!("moons.flow"))?;
/// let mut scratch = Scratch::<34>::new();
/// let mut density = model.density(&mut scratch)?;
/// // The top of a moon, and a place far from both.
/// assert!(density.log_prob(&[0.0, 1.0]) > -1.0);
/// assert!(density.log_prob(&[4.0, 4.0]) < -100.0);
/// # Ok::<(), flowlet::Error>(())
/// ```
#[derive(Debug)]
pub struct Density<'s, const DIM: usize> {
    flow: RealNvp<'s>,
    /// The log-determinant of the standardization.
    log_det: f32,
    context: &'s [f32],
    workspace: Workspace<'s>,
}

impl<'s, const DIM: usize> Density<'s, DIM> {
    pub(crate) fn new(flow: RealNvp<'s>, context: &'s [f32], workspace: Workspace<'s>) -> Self {
        Self {
            log_det: flow.standardization_log_det(),
            flow,
            context,
            workspace,
        }
    }

    /// `ln p(x)` in nats, in the data's units.
    ///
    /// Not a number, or `−∞`, where `x` is not finite or so far out that `f32` ends. No comparison
    /// with a NaN holds, so an alarm below a threshold is `!(log_p >= threshold)`.
    pub fn log_prob(&mut self, x: &[f32; DIM]) -> f32 {
        self.flow
            .log_prob_in(x, self.context, self.log_det, &mut self.workspace)
    }
}
