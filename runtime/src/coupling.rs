//! One layer of a RealNVP.

use crate::mlp::Mlp;
use crate::scratch::Buffers;

/// An affine coupling: dimensions that it keeps decide how the others move.
///
/// With `[s, t] = net([kept, context])` and `s` clipped to `[−clip, clip]`:
/// `moved′ = moved · eˢ + t`. The net itself is never inverted.
///
/// Source: Dinh, Sohl-Dickstein and Bengio, *Density estimation using Real NVP*, 2017, equations 7
/// and 8.
pub(crate) struct AffineCoupling<'m> {
    /// 1 where odd dimensions move, 0 where even ones do.
    pub(crate) first_moved: usize,
    pub(crate) scale_clip: f32,
    pub(crate) net: Mlp<'m>,
}

impl AffineCoupling<'_> {
    /// Moves `x` towards the latent.
    pub(crate) fn forward(&self, x: &mut [f32], context: &[f32], buffers: &mut Buffers<'_>) {
        self.for_each_moved(x, context, buffers, |x, s, t| *x = *x * libm::expf(s) + t);
    }

    /// `forward`, and adds each `s` to `log_det`.
    pub(crate) fn forward_and_log_det(
        &self,
        x: &mut [f32],
        context: &[f32],
        buffers: &mut Buffers<'_>,
        log_det: &mut f32,
    ) {
        self.for_each_moved(x, context, buffers, |x, s, t| {
            *x = *x * libm::expf(s) + t;
            *log_det += s;
        });
    }

    /// Moves `x` towards the data.
    pub(crate) fn inverse(&self, x: &mut [f32], context: &[f32], buffers: &mut Buffers<'_>) {
        self.for_each_moved(x, context, buffers, |x, s, t| {
            *x = (*x - t) * libm::expf(-s)
        });
    }

    /// `inverse`, and subtracts each `s` from `log_det`.
    pub(crate) fn inverse_and_log_det(
        &self,
        x: &mut [f32],
        context: &[f32],
        buffers: &mut Buffers<'_>,
        log_det: &mut f32,
    ) {
        self.for_each_moved(x, context, buffers, |x, s, t| {
            *x = (*x - t) * libm::expf(-s);
            *log_det -= s;
        });
    }

    /// Calls `step` with each moved dimension, its clipped `s` and its `t`.
    fn for_each_moved(
        &self,
        x: &mut [f32],
        context: &[f32],
        buffers: &mut Buffers<'_>,
        mut step: impl FnMut(&mut f32, f32, f32),
    ) {
        let kept = x.iter().skip(1 - self.first_moved).step_by(2);
        let input = kept.chain(context).copied();
        let output = self.net.evaluate(input, buffers);
        let (s, t) = output.split_at(output.len() / 2);
        let moved = x.iter_mut().skip(self.first_moved).step_by(2);
        for ((x, s), t) in moved.zip(s).zip(t) {
            step(x, self.clip(*s), *t);
        }
    }

    fn clip(&self, s: f32) -> f32 {
        if s > self.scale_clip {
            self.scale_clip
        } else if s < -self.scale_clip {
            -self.scale_clip
        } else {
            s
        }
    }
}
