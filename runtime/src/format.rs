//! What a model file says: one postcard value, [`File`]. `FORMAT.md` tells it in tables.

use core::num::NonZeroU16;

use serde::{Deserialize, Serialize};

use crate::crc::crc32;
pub use crate::crc::crc32_after;

/// The first bytes of every model file.
pub const MAGIC: [u8; 7] = *b"flowlet";
/// The version that this crate writes and reads.
pub const VERSION: u8 = 1;

/// Most dimensions of a point.
pub const MAX_DIM: usize = 64;
/// Most context numbers.
pub const MAX_CONTEXT_DIM: usize = 32;
/// Most affine layers of a net.
pub const MAX_DEPTH: usize = 8;
/// Most units of a hidden layer.
pub const MAX_WIDTH: usize = 256;
/// Most coupling layers of a RealNVP.
pub const MAX_LAYER_COUNT: usize = 32;
/// Largest bound on `s`, so that `exp(s)` stays finite.
pub const MAX_SCALE_CLIP: f32 = 80.0;

/// Words of a threshold: four `f32` and a count.
pub const THRESHOLD_LEN: usize = 5;

/// A whole model file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct File<'a> {
    /// The part that is the same in every version.
    pub header: Header,
    /// The rest.
    #[serde(borrow)]
    pub body: Body<'a>,
}

/// What follows the header, in this version.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Body<'a> {
    /// What the weights mean.
    #[serde(borrow)]
    pub description: Description<'a>,
    /// Zeros, as many as bring `weights` to a multiple of four bytes from the start of the file.
    #[serde(with = "bytes")]
    pub padding: &'a [u8],
    /// Means, standard deviations, perhaps a Cholesky factor and perhaps a threshold, little-endian `f32`,
    /// then the nets.
    #[serde(with = "bytes")]
    pub weights: &'a [u8],
    /// CRC-32 of all bytes before it.
    #[serde(with = "postcard::fixint::le")]
    pub checksum: u32,
}

/// The first twelve bytes, the same in every version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: [u8; 7],
    /// [`VERSION`].
    pub version: u8,
    /// Bytes in the file.
    #[serde(with = "postcard::fixint::le")]
    pub length: u32,
}

impl Body<'_> {
    /// Bytes of the shortest encoding, which is the one that is written.
    ///
    /// Postcard's serializer would tell too, but it can panic for all the compiler knows.
    pub(crate) fn encoded_len(&self) -> usize {
        self.description.encoded_len()
            + run_len(self.padding.len())
            + run_len(self.weights.len())
            + size_of_val(&self.checksum)
    }
}

/// Bytes of a run of `n` bytes with its length before it.
fn run_len(n: usize) -> usize {
    varint_len(n) + n
}

/// Bytes of a varint: seven bits each.
fn varint_len(n: usize) -> usize {
    let bits = usize::BITS - (n | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

impl Header {
    /// Bytes of an encoded header.
    pub const LENGTH: usize = 12;

    /// The header at the front of `bytes`, and what follows it.
    pub(crate) fn take_from_bytes(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (&magic, rest) = bytes.split_first_chunk()?;
        let (&version, rest) = rest.split_first()?;
        let (&length, rest) = rest.split_first_chunk()?;
        let header = Self {
            magic,
            version,
            length: u32::from_le_bytes(length),
        };
        Some((header, rest))
    }
}

/// The model without its numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description<'a> {
    /// What the model is called.
    pub name: &'a str,
    /// Names of the `dim` columns and then of the `context_dim` context numbers, one a line; or empty.
    pub labels: &'a str,
    /// Dimensions of a point, 1 to [`MAX_DIM`].
    pub dim: u8,
    /// Context numbers, 0 to [`MAX_CONTEXT_DIM`].
    pub context_dim: u8,
    /// Whether the point is whitened: a Cholesky factor follows the standard deviations.
    pub whitened: bool,
    /// Whether a threshold of the log-probability lies between the transform and the nets.
    pub calibrated: bool,
    /// What the nets make up.
    pub kind: Kind,
    /// The nets, all of one shape between their inputs and outputs.
    pub net: Net,
}

/// What is common to all nets of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Net {
    /// How the numbers are stored and computed.
    pub precision: Precision,
    /// The function after each hidden layer.
    pub activation: Activation,
    /// Units of each hidden layer, 1 to [`MAX_WIDTH`].
    pub hidden: heapless::Vec<u16, { MAX_DEPTH - 1 }>,
}

/// The two kinds of flow.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Kind {
    /// Affine couplings, one net each.
    RealNvp {
        /// Coupling layers, 1 to [`MAX_LAYER_COUNT`].
        layer_count: u8,
        /// Largest magnitude of `s`, above 0, at most [`MAX_SCALE_CLIP`].
        scale_clip: f32,
    },
    /// A velocity field, one net.
    FlowMatching {
        /// Euler steps from noise to data, unless told otherwise.
        step_count: NonZeroU16,
    },
}

impl Kind {
    fn encoded_len(self) -> usize {
        const VARIANT: usize = 1;
        VARIANT
            + match self {
                Self::RealNvp {
                    layer_count,
                    scale_clip,
                } => size_of_val(&layer_count) + size_of_val(&scale_clip),
                Self::FlowMatching { step_count } => varint_len(step_count.get().into()),
            }
    }
}

impl Net {
    fn encoded_len(&self) -> usize {
        const PRECISION_AND_ACTIVATION: usize = 2;
        let widths = self.hidden.iter().map(|&width| varint_len(width.into()));
        PRECISION_AND_ACTIVATION + varint_len(self.hidden.len()) + widths.sum::<usize>()
    }
}

/// How a net's numbers are stored and computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Precision {
    /// 32-bit floating point throughout.
    F32,
    /// 8-bit weights, 16-bit activations, 32-bit sums; the state of the flow stays `f32`.
    Int8,
}

/// The function between the layers of a net; none follows the last layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Activation {
    /// `tanh(a)`.
    Tanh,
    /// `a` where `a > 0`, else `exp(a) − 1`.
    Elu,
}

impl<'a> Description<'a> {
    fn encoded_len(&self) -> usize {
        const DIM_CONTEXT_DIM_AND_TWO_TRUTHS: usize = 4;
        run_len(self.name.len())
            + run_len(self.labels.len())
            + DIM_CONTEXT_DIM_AND_TWO_TRUTHS
            + self.kind.encoded_len()
            + self.net.encoded_len()
    }

    /// The names of the columns and of the context numbers, if there are any.
    pub fn labels(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut rest = (!self.labels.is_empty()).then_some(self.labels);
        core::iter::from_fn(move || {
            let labels = rest?;
            // `split` may panic for all the compiler knows.
            let end = labels.bytes().position(|byte| byte == b'\n');
            rest = end.and_then(|end| labels.get(end + 1..));
            labels.get(..end.unwrap_or(labels.len()))
        })
    }

    /// How many [`labels`](Self::labels) there are.
    pub(crate) fn label_count(&self) -> usize {
        // Counting lines of text takes less flash than taking them apart.
        let ends = self.labels.bytes().filter(|&byte| byte == b'\n').count();
        usize::from(!self.labels.is_empty()) + ends
    }

    /// Number of nets.
    pub fn net_count(&self) -> usize {
        match self.kind {
            Kind::RealNvp { layer_count, .. } => usize::from(layer_count),
            Kind::FlowMatching { .. } => 1,
        }
    }

    /// Inputs and outputs of net `k`.
    ///
    /// A coupling's net reads the kept dimensions and the context and gives a scale and a shift for
    /// each moved one; a velocity field's reads the point, the time and the context. Points and
    /// contexts are standardized, points whitened too where the model says so.
    pub fn net_ends(&self, k: usize) -> (usize, usize) {
        let dim = usize::from(self.dim);
        let context_dim = usize::from(self.context_dim);
        match self.kind {
            Kind::RealNvp { .. } => {
                let moved = moved_count(dim, k);
                (dim - moved + context_dim, 2 * moved)
            }
            Kind::FlowMatching { .. } => (dim + 1 + context_dim, dim),
        }
    }

    /// Outputs of every affine layer of net `k`, with its inputs before them.
    pub fn layer_ends(&self, k: usize) -> impl Iterator<Item = (usize, usize)> {
        let (inputs, outputs) = self.net_ends(k);
        let hidden = self.net.hidden.iter().map(|&width| usize::from(width));
        let mut previous = inputs;
        hidden
            .chain([outputs])
            .map(move |next| (core::mem::replace(&mut previous, next), next))
    }

    /// Weights and biases of net `k`.
    pub fn parameter_count(&self, k: usize) -> usize {
        self.layer_ends(k)
            .map(|(inputs, outputs)| (inputs + 1) * outputs)
            .sum()
    }

    /// Multiply-adds of net `k`.
    pub fn mac_count(&self, k: usize) -> usize {
        self.layer_ends(k)
            .map(|(inputs, outputs)| inputs * outputs)
            .sum()
    }

    /// Columns that have a mean and a standard deviation: the point's, then the context's.
    pub fn column_count(&self) -> usize {
        usize::from(self.dim) + usize::from(self.context_dim)
    }

    /// Numbers of the Cholesky factor: the lower triangle with its diagonal, or none.
    pub fn factor_len(&self) -> usize {
        let dim = usize::from(self.dim);
        usize::from(self.whitened) * (dim * (dim + 1) / 2)
    }

    /// Words of four bytes of the transform: means, standard deviations, and the Cholesky factor.
    pub fn transform_len(&self) -> usize {
        2 * self.column_count() + self.factor_len()
    }

    /// Words of four bytes that net `k` takes.
    pub fn net_len(&self, k: usize) -> usize {
        match self.net.precision {
            Precision::F32 => self.parameter_count(k),
            Precision::Int8 => {
                let layers = self.layer_ends(k).enumerate();
                let len = |(j, (inputs, outputs))| int8_layer_len(j == 0, inputs, outputs);
                layers.map(len).sum()
            }
        }
    }

    /// Words of four bytes before the nets: the transform, and the threshold if there is one.
    pub fn nets_start(&self) -> usize {
        self.transform_len() + usize::from(self.calibrated) * THRESHOLD_LEN
    }

    /// Words of four bytes in `weights`: what is before the nets, and all nets.
    pub fn word_count(&self) -> usize {
        let nets: usize = (0..self.net_count()).map(|k| self.net_len(k)).sum();
        self.nets_start() + nets
    }

    /// Words that hold the input, any hidden layer or the output of any net.
    pub fn buffer_len(&self) -> usize {
        // Nets of one parity have the same ends.
        let nets = 0..self.net_count().min(2);
        nets.map(|k| self.net_buffer_len(k)).max().unwrap_or(0)
    }

    fn net_buffer_len(&self, k: usize) -> usize {
        let (inputs, outputs) = self.net_ends(k);
        let hidden = self.net.hidden.iter().map(|&width| usize::from(width));
        let widest = hidden.max().unwrap_or(0);
        match self.net.precision {
            Precision::F32 => inputs.max(widest).max(outputs),
            // Activations take half a word; the kernels write four outputs at a time.
            Precision::Int8 => inputs
                .max(widest.next_multiple_of(4) / 2)
                .max(outputs.next_multiple_of(4)),
        }
    }
}

/// Words of one layer of an integer net: its header, then blocks of four outputs.
fn int8_layer_len(is_first: bool, inputs: usize, outputs: usize) -> usize {
    let block_len = match is_first {
        true => first_block_len(inputs),
        false => next_block_len(inputs),
    };
    1 + outputs.div_ceil(4) * block_len
}

/// Words of four outputs of an integer net's first layer: a bias each, then a weight of 16 bits for
/// each input.
pub fn first_block_len(inputs: usize) -> usize {
    4 + 2 * inputs
}

/// Words of four outputs of a later layer: a bias each, then for each input, their number rounded up
/// to a multiple of four, a weight of 8 bits, then a multiplier of 16 bits.
pub fn next_block_len(inputs: usize) -> usize {
    4 + inputs.next_multiple_of(4) + 2
}

/// How many of `dim` dimensions layer `k` moves: the `i` with `i + k` odd.
pub fn moved_count(dim: usize, k: usize) -> usize {
    if k.is_multiple_of(2) {
        dim / 2
    } else {
        dim.div_ceil(2)
    }
}

/// The checksum of a file: CRC-32 (IEEE 802.3) of all bytes before it.
pub fn checksum(content: &[u8]) -> u32 {
    crc32(content)
}

/// A byte slice as one run of bytes, not byte by byte.
mod bytes {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        bytes: &&[u8],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<&'de [u8], D::Error> {
        <&[u8]>::deserialize(deserializer)
    }
}
