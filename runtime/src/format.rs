//! What a model file says.

use serde::{Deserialize, Serialize};

/// The function between the layers of a net; none follows the last layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Activation {
    /// `tanh(a)`.
    Tanh,
    /// `a` where `a > 0`, else `exp(a) − 1`.
    Elu,
}
