//! Velocity fields: samples by flow matching.

use core::num::NonZeroU16;

use crate::error::Error;
use crate::kernel::float::one_nan;
use crate::model::Model;
use crate::scratch::{Buffers, Scratch, Workspace};
use crate::solver::{euler, euler_step};
use crate::standardization::alone;
use crate::tile::{Batch, BatchScratch, TILE, Tile};

/// A velocity `v(x, t, context)` that carries noise at `t = 0` to data at `t = 1`.
///
/// # Shapes
///
/// `x`, `v` `[dim]`; `context` `[context_dim]`, in the units of the training data. Every method
/// checks its slices: [`Error::Dim`], [`Error::Context`] and [`Error::Scratch`], or for a batch
/// [`Error::Batch`], where one has the wrong length.
///
/// # Cost
///
/// [`Model::mac_count`] multiply-adds a velocity.
///
/// # Source
///
/// Lipman et al., *Flow Matching for Generative Modeling*, 2023; Liu, Gong and Liu, *Flow Straight
/// and Fast*, 2023.
#[derive(Clone, Copy, Debug)]
pub struct VelocityField<'m> {
    model: &'m Model<'m>,
    step_count: NonZeroU16,
}

impl<'m> VelocityField<'m> {
    pub(crate) fn new(model: &'m Model<'m>, step_count: NonZeroU16) -> Self {
        Self { model, step_count }
    }

    /// The model's own number of Euler steps.
    pub fn step_count(&self) -> NonZeroU16 {
        self.step_count
    }

    /// The velocity at `x` and time `t`, both `x` and `v` in standardized space,
    /// whitened where the model is.
    pub fn velocity<const LEN: usize>(
        &self,
        x: &[f32],
        t: f32,
        context: &[f32],
        v: &mut [f32],
        scratch: &mut Scratch<LEN>,
    ) -> Result<(), Error> {
        let mut workspace = self.model.workspace(x.len(), context, scratch)?;
        if v.len() != x.len() {
            return Err(Error::Dim {
                expected: x.len(),
                found: v.len(),
            });
        }
        self.velocity_in(x, t, context, v, &mut workspace.buffers);
        Ok(())
    }

    /// Takes noise `x_0` to data in `step_count` Euler steps, in place.
    ///
    /// `x_{k+1} = x_k + v(x_k, k / n) / n`, then to the data's units.
    pub fn euler<const LEN: usize>(
        &self,
        x: &mut [f32],
        step_count: NonZeroU16,
        context: &[f32],
        scratch: &mut Scratch<LEN>,
    ) -> Result<(), Error> {
        let mut workspace = self.model.workspace(x.len(), context, scratch)?;
        self.euler_in(x, step_count, context, &mut workspace);
        Ok(())
    }

    /// Takes noise `x_0` `[n, dim]` to data, each point given its row of `contexts`
    /// `[n, context_dim]`.
    ///
    /// The bits are those of [`euler`](Self::euler), one point after the other; on x86-64 with AVX2,
    /// integer nets take many points side by side, several times faster.
    pub fn euler_batch(
        &self,
        x: &mut [f32],
        step_count: NonZeroU16,
        contexts: &[f32],
        scratch: &mut BatchScratch,
    ) -> Result<(), Error> {
        let batch = Batch::new(self.model, x.len(), contexts)?;
        for (x, contexts) in x.chunks_mut(batch.tile_len()).zip(batch.contexts(contexts)) {
            let mut tile = scratch.load(self.model, x, contexts);
            self.euler_tile(&mut tile, step_count);
            self.model.standardization().inverse(tile.points);
            tile.store(x);
        }
        Ok(())
    }

    /// [`euler`](Self::euler) for sizes that are checked.
    pub(crate) fn euler_in(
        &self,
        x: &mut [f32],
        step_count: NonZeroU16,
        context: &[f32],
        workspace: &mut Workspace<'_>,
    ) {
        let buffers = &mut workspace.buffers;
        euler(x, workspace.point, step_count, |x, t, v| {
            self.velocity_in(x, t, context, v, buffers);
        });
        self.model.standardization().inverse(alone(x));
    }

    /// Step `k` of [`euler`](Self::euler), the last with the way to the data's units.
    pub(crate) fn euler_step(
        &self,
        x: &mut [f32],
        k: u16,
        step_count: NonZeroU16,
        context: &[f32],
        workspace: &mut Workspace<'_>,
    ) {
        let buffers = &mut workspace.buffers;
        euler_step(x, workspace.point, k, step_count, |x, t, v| {
            self.velocity_in(x, t, context, v, buffers);
        });
        if k == step_count.get() - 1 {
            self.model.standardization().inverse(alone(x));
        }
    }

    fn euler_tile(&self, tile: &mut Tile<'_>, step_count: NonZeroU16) {
        let net = self.model.net(0);
        let n = f32::from(step_count.get());
        for k in 0..step_count.get() {
            let t = [f32::from(k) / n; TILE];
            let input = tile.points.iter().chain([&t]).chain(tile.contexts);
            let output = net.evaluate_tile(input, &mut tile.memory);
            for (x, v) in tile.points.iter_mut().zip(output) {
                x.iter_mut().zip(v).for_each(|(x, v)| *x += *v / n);
            }
        }
    }

    fn velocity_in(
        &self,
        x: &[f32],
        t: f32,
        context: &[f32],
        v: &mut [f32],
        buffers: &mut Buffers<'_>,
    ) {
        let standardization = self.model.context_standardization();
        let context = standardization.forward_each(context);
        let input = x.iter().copied().chain([t]).chain(context);
        let output = self.model.net(0).evaluate(input, buffers);
        v.iter_mut()
            .zip(output)
            .for_each(|(v, output)| *v = one_nan(*output));
    }
}
