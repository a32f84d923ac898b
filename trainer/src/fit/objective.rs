//! What a kind of flow minimizes.

use ndarray::ArrayView2;
use rand::Rng;

use crate::nn::{Mlp, Row, Scalar};

/// A loss over rows, and its gradient by the weights of all nets.
///
/// Rows are loaded, in `f32` and standardized, into shards, and worked on in the room of one thread.
/// Losses and gradients are sums over a shard's rows, so that shards add up.
pub trait Objective<A: Scalar>: Send + Sync {
    /// Rows, and what is drawn for them.
    type Shard: Send + Sync;

    /// Everything that is computed from a shard by the nets.
    type Room: Send;

    /// How often each validation row is used at most: more than once where its noise drowns its news.
    const VALIDATION_DRAWS: usize;

    /// The nets at the start of training.
    fn nets<G: Rng>(&self, hidden: &[usize], rng: &mut G) -> Vec<Mlp<A>>;

    /// No rows as yet.
    fn shard(&self) -> Self::Shard;

    /// Room to work on a shard.
    fn room(&self, nets: &[Mlp<A>]) -> Self::Room;

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

    /// Shards that are prepared together.
    const TOGETHER: usize = 1;

    /// What else is to be done to shards just loaded, at most [`TOGETHER`](Self::TOGETHER).
    fn prepare(&self, _shards: &mut [Self::Shard]) {}

    /// The loss, summed over the rows.
    fn loss(&self, nets: &[Mlp<A>], shard: &Self::Shard, room: &mut Self::Room) -> f64;

    /// The loss, and its gradient by every weight, which overwrites `gradient`.
    fn loss_and_gradient(
        &self,
        nets: &[Mlp<A>],
        shard: &Self::Shard,
        room: &mut Self::Room,
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
