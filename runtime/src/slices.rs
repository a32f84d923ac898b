//! A flow by slices alone, for callers who learn all sizes when they run, such as those in C.

use core::num::NonZeroU16;

use crate::error::Error;
use crate::model::{Flow, Model};
use crate::scratch::{Workspace, workspace};

impl Model<'_> {
    /// Takes noise `x` to a point given `context`, in the data's units, as
    /// [`Sampler::transport`](crate::Sampler::transport) does; with `step_count` Euler steps where they are
    /// given, the model's own number else, and none for a RealNVP.
    ///
    /// The scratch is of at least [`scratch_len`](Self::scratch_len) words.
    ///
    /// ```
    /// use flowlet::{Model, include_model};
    ///
    /// let model = Model::from_bytes(include_model!("moons.flow"))?;
    /// let (mut x, mut scratch) = ([0.1, -0.7], [0; 34]);
    /// model.transport(&mut x, None, &[], &mut scratch)?;
    /// assert!(model.log_prob(&x, &[], &mut scratch)? > -10.0);
    /// # Ok::<(), flowlet::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Dim`], [`Error::Context`] or [`Error::Scratch`] where a slice has another length.
    pub fn transport(
        &self,
        x: &mut [f32],
        step_count: Option<NonZeroU16>,
        context: &[f32],
        scratch: &mut [u32],
    ) -> Result<(), Error> {
        let mut workspace = self.workspace_of(x.len(), context, scratch)?;
        match self.flow() {
            Flow::RealNvp(flow) => flow.inverse_in(x, context, &mut workspace.buffers),
            Flow::VelocityField(field) => {
                let step_count = step_count.unwrap_or(field.step_count());
                field.euler_in(x, step_count, context, &mut workspace);
            }
        }
        Ok(())
    }

    /// `ln p(x)` given `context`, in nats, in the data's units, as
    /// [`Density::log_prob`](crate::Density::log_prob) gives it.
    ///
    /// # Errors
    ///
    /// [`Error::NotRealNvp`], else as [`transport`](Self::transport).
    pub fn log_prob(&self, x: &[f32], context: &[f32], scratch: &mut [u32]) -> Result<f32, Error> {
        let flow = self.real_nvp()?;
        let mut workspace = self.workspace_of(x.len(), context, scratch)?;
        Ok(flow.log_prob_in(x, context, flow.standardization_log_det(), &mut workspace))
    }

    fn workspace_of<'s>(
        &self,
        dim: usize,
        context: &[f32],
        scratch: &'s mut [u32],
    ) -> Result<Workspace<'s>, Error> {
        self.check_lens(dim, context)?;
        workspace(scratch, self.buffer_len(), self.dim())
    }
}
