//! What a kind of flow minimizes.

use ndarray::ArrayView2;
use rand::Rng;

use crate::nn::{Mlp, Row, Scalar};

/// A loss over rows, and its gradient by the weights of all nets.
///
/// Rows are loaded, in `f32` and standardized, into a shard: the room one thread works in. Losses
/// and gradients are sums over its rows, so that shards add up.
pub trait Objective<A: Scalar>: Sync {
    /// The rows and everything computed from them.
    type Shard: Send;

    /// How often each validation row is used at most: more than once where its noise drowns its news.
    const VALIDATION_DRAWS: usize;

    /// The nets at the start of training.
    fn nets<G: Rng>(&self, hidden: &[usize], rng: &mut G) -> Vec<Mlp<A>>;

    /// Room for a shard.
    fn shard(&self, nets: &[Mlp<A>]) -> Self::Shard;

    /// Copies the rows at `indices`, at most [`ROWS`](crate::nn::ROWS), and draws their noise.
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

    /// Shards that are prepared together; 0 where loading is all.
    const TOGETHER: usize = 0;

    /// What else is to be done to shards just loaded, at most [`TOGETHER`](Self::TOGETHER), and can be
    /// done on any thread.
    fn prepare(&self, _shards: &mut [&mut Self::Shard]) {}

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

/// Copies the rows at `indices` of a table into a shard; the shard's other rows become zeros.
pub(crate) fn load<A: Scalar>(table: ArrayView2<f32>, indices: &[usize], shard: &mut [Row<A>]) {
    for (column, room) in table.columns().into_iter().zip(shard) {
        room[indices.len()..].fill(A::zero());
        for (value, &index) in room.iter_mut().zip(indices) {
            *value = A::from_f64(column[index].into());
        }
    }
}

/// Copies the first `count` rows of a shard; the others become zeros.
pub(crate) fn copy<A: Scalar>(from: &[Row<A>], count: usize, to: &mut [Row<A>]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
        to[count..].fill(A::zero());
    }
}
