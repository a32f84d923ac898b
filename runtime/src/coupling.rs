//! One layer of a RealNVP.

use crate::kernel::exp;
use crate::mlp::Mlp;
use crate::scratch::Buffers;
use crate::standardization::Standardization;
use crate::tile::{Lanes, Tile};

/// An affine coupling: dimensions that it keeps decide how the others move.
///
/// With `[s, t] = net([kept, context])`, the context standardized, and `s` clipped to `[−clip, clip]`:
/// `moved′ = moved · eˢ + t`. The net itself is never inverted.
///
/// Source: Dinh, Sohl-Dickstein and Bengio, *Density estimation using Real NVP*, 2017, equations 7
/// and 8.
pub(crate) struct AffineCoupling<'m> {
    /// 1 where odd dimensions move, 0 where even ones do.
    pub(crate) first_moved: usize,
    pub(crate) scale_clip: f32,
    /// Of the context.
    pub(crate) standardization: Standardization<'m>,
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
        self.for_each_moved(x, context, buffers, |x, s, t| *x = (*x - t) / libm::expf(s));
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
            *x = (*x - t) / libm::expf(s);
            *log_det -= s;
        });
    }

    /// [`inverse`](Self::inverse) for the points of a tile.
    pub(crate) fn inverse_tile(&self, tile: &mut Tile<'_>) {
        self.for_each_moved_row(tile, |x, s, t| {
            let mut scale = *s;
            exp(&mut scale);
            for ((x, scale), t) in x.iter_mut().zip(scale).zip(t) {
                *x = (*x - t) / scale;
            }
        });
    }

    /// [`forward_and_log_det`](Self::forward_and_log_det) for the points of a tile.
    pub(crate) fn forward_and_log_det_tile(&self, tile: &mut Tile<'_>, log_det: &mut Lanes) {
        self.for_each_moved_row(tile, |x, s, t| {
            let mut scale = *s;
            exp(&mut scale);
            for ((x, scale), t) in x.iter_mut().zip(scale).zip(t) {
                *x = *x * scale + t;
            }
            for (log_det, s) in log_det.iter_mut().zip(s) {
                *log_det += s;
            }
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
        let context = self.standardization.forward_each(context);
        let input = kept.copied().chain(context);
        let output = self.net.evaluate(input, buffers);
        let (s, t) = output.split_at(output.len() / 2);
        let moved = x.iter_mut().skip(self.first_moved).step_by(2);
        for ((x, s), t) in moved.zip(s).zip(t) {
            step(x, self.clip(*s), *t);
        }
    }

    /// [`for_each_moved`](Self::for_each_moved) for the points of a tile.
    fn for_each_moved_row(
        &self,
        tile: &mut Tile<'_>,
        mut step: impl FnMut(&mut Lanes, &Lanes, &Lanes),
    ) {
        let kept = tile.points.iter().skip(1 - self.first_moved).step_by(2);
        let input = kept.chain(tile.contexts);
        let output = self.net.evaluate_tile(input, &mut tile.memory);
        let (s, t) = output.split_at_mut(output.len() / 2);
        let moved = tile.points.iter_mut().skip(self.first_moved).step_by(2);
        for ((x, s), t) in moved.zip(s).zip(t) {
            s.iter_mut().for_each(|s| *s = self.clip(*s));
            step(x, s, t);
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

#[cfg(all(test, feature = "f32"))]
mod tests {
    use super::*;
    use crate::format::{Activation, Net, Precision};

    /// Applies a coupling of two dimensions whose net gives `s` and `t` whatever it reads.
    fn coupled(first_moved: usize, s: f32, t: f32) -> ([f32; 2], f32) {
        let net = Net {
            precision: Precision::F32,
            activation: Activation::Tanh,
            hidden: heapless::Vec::new(),
        };
        let words = [s, t, 0.0, 0.0].map(|number| number.to_bits().to_le());
        let layer = AffineCoupling {
            first_moved,
            scale_clip: 2.0,
            standardization: Standardization {
                mean: &[],
                std: &[],
                factor: &[],
            },
            net: Mlp {
                net: &net,
                inputs: 1,
                outputs: 2,
                words: &words,
            },
        };
        let (mut x, mut log_det) = ([1.0; 2], 0.0);
        let mut buffers = Buffers(&mut [0; 2], &mut [0; 2]);
        layer.forward_and_log_det(&mut x, &[], &mut buffers, &mut log_det);
        (x, log_det)
    }

    #[test]
    fn one_dimension_moves_and_the_other_is_kept() {
        assert_eq!(coupled(1, 0.0, 3.0), ([1.0, 4.0], 0.0));
        assert_eq!(coupled(0, 0.0, 3.0), ([4.0, 1.0], 0.0));
    }

    #[test]
    fn scale_is_clipped_on_both_sides() {
        for (s, clipped) in [(1.5, 1.5), (2.5, 2.0), (-2.5, -2.0), (f32::INFINITY, 2.0)] {
            let (x, log_det) = coupled(1, s, 0.0);
            assert_eq!(log_det, clipped);
            assert_eq!(x, [1.0, libm::expf(clipped)]);
        }
    }

    #[test]
    fn a_scale_that_is_not_a_number_is_not_hidden() {
        let (x, log_det) = coupled(1, f32::NAN, 0.0);
        assert!(x[1].is_nan() && log_det.is_nan());
    }
}
