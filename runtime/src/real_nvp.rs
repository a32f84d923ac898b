//! RealNVP: samples and exact log-probabilities.

use core::num::NonZeroU16;

use crate::coupling::AffineCoupling;
use crate::error::Error;
use crate::kernel::float::one_nan;
use crate::model::Model;
use crate::scratch::{Buffers, Scratch, Workspace};
use crate::standardization::alone;
use crate::tile::{Batch, BatchScratch, Lanes, TILE, Tile, check_len};

/// `ln 2π`.
const LN_TAU: f32 = 1.837_877_1;

/// A stack of affine couplings over standardized data.
///
/// Layer `k` moves the dimensions `i` with `i + k` odd. `forward` takes data to the latent, where
/// it is standard normal; `inverse` takes the latent to data, so sampling inverts the flow.
///
/// Points are changed in place. Every method checks its slices: [`Error::Dim`],
/// [`Error::Context`] and [`Error::Scratch`], or for a batch [`Error::Batch`], where one has the
/// wrong length.
///
/// # Shapes
///
/// `x`, `z` `[dim]`; `context` `[context_dim]`, in the units of the training data.
///
/// # Cost
///
/// [`Model::mac_count`] multiply-adds a call.
///
/// # Source
///
/// Dinh, Sohl-Dickstein and Bengio, *Density estimation using Real NVP*, 2017.
///
/// ```
/// use flowlet::{Model, Scratch, include_model};
///
/// let model = Model::from_bytes(include_model!("moons.flow"))?;
/// let flow = model.real_nvp()?;
/// let mut scratch = Scratch::<{ flowlet::MAX_SCRATCH_LEN }>::new();
///
/// let mut x = [1.0, 0.5];
/// let log_det = flow.forward_and_log_det(&mut x, &[], &mut scratch)?;
/// let back = flow.inverse_and_log_det(&mut x, &[], &mut scratch)?;
/// assert!((x[0] - 1.0).abs() < 1e-4 && (x[1] - 0.5).abs() < 1e-4);
/// assert!((log_det + back).abs() < 1e-4);
/// # Ok::<(), flowlet::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RealNvp<'m> {
    model: &'m Model<'m>,
    scale_clip: f32,
}

impl<'m> RealNvp<'m> {
    pub(crate) fn new(model: &'m Model<'m>, scale_clip: f32) -> Self {
        Self { model, scale_clip }
    }

    /// The log-determinant of the standardization.
    ///
    /// Not a field: a firmware that samples goes without `ln`.
    pub(crate) fn standardization_log_det(&self) -> f32 {
        self.model.standardization().log_det()
    }

    /// Takes data `x` to its latent `z`.
    pub fn forward<const LEN: usize>(
        &self,
        x: &mut [f32],
        context: &[f32],
        scratch: &mut Scratch<LEN>,
    ) -> Result<(), Error> {
        let mut workspace = self.model.workspace(x.len(), context, scratch)?;
        self.model.standardization().forward(alone(x));
        for layer in self.layers() {
            layer.forward(x, context, &mut workspace.buffers);
        }
        x.iter_mut().for_each(|z| *z = one_nan(*z));
        Ok(())
    }

    /// Takes data `x` to its latent `z` and returns `ln |det dz/dx|`.
    pub fn forward_and_log_det<const LEN: usize>(
        &self,
        x: &mut [f32],
        context: &[f32],
        scratch: &mut Scratch<LEN>,
    ) -> Result<f32, Error> {
        let mut workspace = self.model.workspace(x.len(), context, scratch)?;
        let mut log_det = self.standardization_log_det();
        self.forward_and_log_det_in(x, context, &mut workspace.buffers, &mut log_det);
        Ok(one_nan(log_det))
    }

    /// Takes a latent `z` to data `x`.
    pub fn inverse<const LEN: usize>(
        &self,
        z: &mut [f32],
        context: &[f32],
        scratch: &mut Scratch<LEN>,
    ) -> Result<(), Error> {
        let mut workspace = self.model.workspace(z.len(), context, scratch)?;
        self.inverse_in(z, context, &mut workspace.buffers);
        Ok(())
    }

    /// Takes a latent `z` to data `x` and returns `ln |det dx/dz|`.
    pub fn inverse_and_log_det<const LEN: usize>(
        &self,
        z: &mut [f32],
        context: &[f32],
        scratch: &mut Scratch<LEN>,
    ) -> Result<f32, Error> {
        let mut workspace = self.model.workspace(z.len(), context, scratch)?;
        let mut log_det = -self.standardization_log_det();
        for layer in self.layers().rev() {
            layer.inverse_and_log_det(z, context, &mut workspace.buffers, &mut log_det);
        }
        self.model.standardization().inverse(alone(z));
        Ok(one_nan(log_det))
    }

    /// `ln p(x)` in nats: `ln N(z; 0, I) + ln |det dz/dx|` with `z = forward(x)`.
    pub fn log_prob<const LEN: usize>(
        &self,
        x: &[f32],
        context: &[f32],
        scratch: &mut Scratch<LEN>,
    ) -> Result<f32, Error> {
        let mut workspace = self.model.workspace(x.len(), context, scratch)?;
        let log_det = self.standardization_log_det();
        Ok(self.log_prob_in(x, context, log_det, &mut workspace))
    }

    /// Takes latents `z` `[n, dim]` to data, each given its row of `contexts` `[n, context_dim]`.
    ///
    /// The bits are those of [`inverse`](Self::inverse), one point after the other; on x86-64 with
    /// AVX2, integer nets take many points side by side, several times faster.
    pub fn inverse_batch(
        &self,
        z: &mut [f32],
        contexts: &[f32],
        scratch: &mut BatchScratch,
    ) -> Result<(), Error> {
        let batch = Batch::new(self.model, z.len(), contexts)?;
        for (z, contexts) in z.chunks_mut(batch.tile_len()).zip(batch.contexts(contexts)) {
            let mut tile = scratch.load(self.model, z, contexts);
            for layer in self.layers().rev() {
                layer.inverse_tile(&mut tile);
            }
            self.model.standardization().inverse(tile.points);
            tile.store(z);
        }
        Ok(())
    }

    /// `ln p(x)` in nats for each of `x` `[n, dim]`, given its row of `contexts` `[n, context_dim]`;
    /// `log_probs` `[n]`.
    ///
    /// The bits are those of [`log_prob`](Self::log_prob), one point after the other; for the speed
    /// see [`inverse_batch`](Self::inverse_batch).
    pub fn log_prob_batch(
        &self,
        x: &[f32],
        contexts: &[f32],
        log_probs: &mut [f32],
        scratch: &mut BatchScratch,
    ) -> Result<(), Error> {
        let batch = Batch::new(self.model, x.len(), contexts)?;
        check_len(batch.count(x.len()), log_probs.len())?;
        let log_det = self.standardization_log_det();
        let tiles = x.chunks(batch.tile_len()).zip(batch.contexts(contexts));
        for ((x, contexts), log_probs) in tiles.zip(log_probs.chunks_mut(TILE)) {
            let mut tile = scratch.load(self.model, x, contexts);
            let log_probs_of_tile = self.log_prob_tile(&mut tile, log_det);
            log_probs
                .iter_mut()
                .zip(log_probs_of_tile)
                .for_each(|(p, lane)| *p = lane);
        }
        Ok(())
    }

    /// [`log_prob`](Self::log_prob) for sizes that are checked, with the log-determinant of the
    /// standardization.
    pub(crate) fn log_prob_in(
        &self,
        x: &[f32],
        context: &[f32],
        mut log_det: f32,
        workspace: &mut Workspace<'_>,
    ) -> f32 {
        let z = &mut *workspace.point;
        z.iter_mut().zip(x).for_each(|(z, x)| *z = *x);
        self.forward_and_log_det_in(z, context, &mut workspace.buffers, &mut log_det);
        one_nan(log_normal(square_norm(z), z.len()) + log_det)
    }

    /// [`inverse`](Self::inverse) for sizes that are checked.
    pub(crate) fn inverse_in(&self, z: &mut [f32], context: &[f32], buffers: &mut Buffers<'_>) {
        for layer in self.layers().rev() {
            layer.inverse(z, context, buffers);
        }
        self.model.standardization().inverse(alone(z));
    }

    /// Layer `k` of [`inverse`](Self::inverse), which begins at the last and ends at the first, this
    /// with the way to the data's units.
    pub(crate) fn inverse_step(
        &self,
        z: &mut [f32],
        k: usize,
        context: &[f32],
        buffers: &mut Buffers<'_>,
    ) {
        self.layer(k).inverse(z, context, buffers);
        if k == 0 {
            self.model.standardization().inverse(alone(z));
        }
    }

    fn forward_and_log_det_in(
        &self,
        x: &mut [f32],
        context: &[f32],
        buffers: &mut Buffers<'_>,
        log_det: &mut f32,
    ) {
        self.model.standardization().forward(alone(x));
        for layer in self.layers() {
            layer.forward_and_log_det(x, context, buffers, log_det);
        }
        x.iter_mut().for_each(|z| *z = one_nan(*z));
    }

    fn log_prob_tile(&self, tile: &mut Tile<'_>, log_det: f32) -> Lanes {
        let mut log_det = [log_det; TILE];
        self.model.standardization().forward(tile.points);
        for layer in self.layers() {
            layer.forward_and_log_det_tile(tile, &mut log_det);
        }
        let mut square = [0.0; TILE];
        for z in &*tile.points {
            square.iter_mut().zip(z).for_each(|(sum, z)| *sum += z * z);
        }
        for (log_prob, square) in log_det.iter_mut().zip(square) {
            *log_prob = one_nan(log_normal(square, tile.points.len()) + *log_prob);
        }
        log_det
    }

    fn layers(&self) -> impl DoubleEndedIterator<Item = AffineCoupling<'m>> {
        let flow = *self;
        (0..self.model.description().net_count()).map(move |k| flow.layer(k))
    }

    /// Steps of an [`inverse_step`](Self::inverse_step): one a layer.
    pub(crate) fn step_count(&self) -> NonZeroU16 {
        // At least one and at most 32, as any model was checked for.
        let layer_count = self.model.description().net_count() as u16;
        NonZeroU16::new(layer_count).unwrap_or(NonZeroU16::MIN)
    }

    fn layer(&self, k: usize) -> AffineCoupling<'m> {
        AffineCoupling {
            first_moved: 1 - k % 2,
            scale_clip: self.scale_clip,
            standardization: self.model.context_standardization(),
            net: self.model.net(k),
        }
    }
}

fn square_norm(z: &[f32]) -> f32 {
    z.iter().fold(0.0, |sum, z| sum + z * z)
}

/// `ln N(z; 0, I) = −(‖z‖² + dim · ln 2π) / 2`.
fn log_normal(square_norm: f32, dim: usize) -> f32 {
    -0.5 * (square_norm + dim as f32 * LN_TAU)
}
