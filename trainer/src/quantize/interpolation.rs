//! tanh and elu as integer nets compute them: by straight lines between nodes.

use crate::flow::Activation;

/// Nodes of a unit.
const NODES: f64 = 32.0;
/// A table reaches from −8 to 8, or to 0.
const REACH: i64 = 256;
/// Fraction bits of a pre-activation that lie between two nodes.
const STEP_BITS: u32 = 15;
/// tanh is odd, and 1 is beyond 16 bits.
const LARGEST_NODE: i64 = i16::MAX as i64;
/// Bits from a pre-activation to an activation, in the elu's linear part.
const LINEAR_BITS: u32 = 5;

/// The nodes of an activation.
#[derive(Debug)]
pub(super) struct Interpolation {
    activation: Activation,
    /// `round(2¹⁵ f(i / 32))` for i from −256, within ±[`LARGEST_NODE`].
    nodes: Vec<i64>,
}

impl Interpolation {
    pub(super) fn new(activation: Activation) -> Self {
        let node = |i: i64| {
            let x = i as f64 / NODES;
            let y = match activation {
                Activation::Tanh => x.tanh(),
                Activation::Elu => x.exp_m1(),
            };
            ((y * 32_768.0).round() as i64).clamp(-LARGEST_NODE, LARGEST_NODE)
        };
        let last = match activation {
            Activation::Tanh => REACH,
            Activation::Elu => 0,
        };
        Self {
            activation,
            nodes: (-REACH..=last).map(node).collect(),
        }
    }

    /// The activation of a pre-activation in units of 2⁻²⁰, in units of `2^(exponent − 15)`.
    pub(super) fn apply(&self, p: i64, exponent: u8) -> i64 {
        let bound = REACH << STEP_BITS;
        match self.activation {
            Activation::Tanh => self.line(p.clamp(-bound, bound - 1)),
            Activation::Elu => {
                let sum = self.line(p.clamp(-bound, 0)) + (p.max(0) >> LINEAR_BITS);
                (sum >> exponent).clamp(i16::MIN.into(), i16::MAX.into())
            }
        }
    }

    /// The line through the two nodes beside `p`, one unit of `p` further on, rounded down: the
    /// runtime's table word holds the slope below the value, and so adds it once more.
    fn line(&self, p: i64) -> i64 {
        let step = p >> STEP_BITS;
        let index = (step + REACH) as usize;
        let left = self.nodes[index];
        let right = self.nodes.get(index + 1).copied().unwrap_or(left);
        let distance = p - (step << STEP_BITS);
        left + (((right - left) * (distance + 1)) >> STEP_BITS)
    }
}
