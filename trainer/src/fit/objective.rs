//! What a kind of flow minimizes.

use ndarray::ArrayView2;
use rand::Rng;

use crate::nn::{Mlp, Scalar};

/// A loss over rows, and its gradient by the weights of all nets.
///
/// Rows are loaded, in `f32` and standardized, into a shard: the room one thread works in. Losses
/// and gradients are sums over its rows, so that shards add up.
pub trait Objective<A: Scalar>: Sync {
    /// The rows and everything computed from them.
    type Shard: Send;

    /// How often each validation row is used: more than once where its noise drowns its news.
    const VALIDATION_DRAWS: usize;

    /// The nets at the start of training.
    fn nets<G: Rng>(&self, hidden: &[usize], rng: &mut G) -> Vec<Mlp<A>>;

    /// Room for `rows` rows.
    fn shard(&self, nets: &[Mlp<A>], rows: usize) -> Self::Shard;

    /// Copies the rows at `indices`, as many as the shard has room for, and draws their noise.
    fn load<G: Rng>(
        &self,
        points: ArrayView2<f32>,
        context: ArrayView2<f32>,
        indices: &[usize],
        rng: &mut G,
        shard: &mut Self::Shard,
    );

    /// Changes rows just loaded to train on, at random; rows to validate on stay as they are.
    fn disturb<G: Rng>(&self, _shard: &mut Self::Shard, _rng: &mut G) {}

    /// What else is to be done to a shard just loaded, and can be done on any thread.
    fn prepare(&self, _shard: &mut Self::Shard) {}

    /// The loss, summed over the rows.
    fn loss(&self, nets: &[Mlp<A>], shard: &mut Self::Shard) -> f64;

    /// The loss, and its gradient by every weight, which overwrites `gradient`.
    fn loss_and_gradient(
        &self,
        nets: &[Mlp<A>],
        shard: &mut Self::Shard,
        gradient: &mut [Mlp<A>],
    ) -> f64;
}
