//! Models small enough to read byte by byte.

use std::num::NonZeroU16;

use flowlet::format::{Description, Net};
use flowlet::{Activation, Kind, Precision};
use flowlet_trainer::flow::{Flow, FlowKind};
use flowlet_trainer::nn::{Dense, Mlp};
use ndarray::{arr1, arr2};

/// A RealNVP of one layer, whose net has the sizes 1-1-2.
#[rustfmt::skip]
pub const REAL_NVP: [u8; 92] = [
    b'f', b'l', b'o', b'w', b'l', b'e', b't', 1, // magic, version
    92, 0, 0, 0,                                 // length
    3, b'n', b'v', b'p',                         // name
    3, b'a', b'\n', b'b',                        // labels
    2, 0, 1, 0,                                  // dimensions, context numbers, whitened, not calibrated
    0, 1, 0x00, 0x00, 0x00, 0x40,                // RealNVP, one layer, s within 2
    0, 0,                                        // f32, tanh
    1, 1,                                        // one hidden layer of one unit
    0,                                           // padding
    52,                                          // bytes of weights
    0x00, 0x00, 0x80, 0x3F, 0x00, 0x00, 0x00, 0xC0, // mean 1, −2
    0x00, 0x00, 0x00, 0x3F, 0x00, 0x00, 0x80, 0x40, // standard deviation 0.5, 4
    0x00, 0x00, 0x80, 0x3F,                         // factor 1,
    0x00, 0x00, 0x40, 0xBF, 0x00, 0x00, 0x00, 0x3F, // −0.75, 0.5
    0x00, 0x00, 0x80, 0x3E,                         // hidden bias 0.25
    0x00, 0x00, 0x80, 0xBF,                         // hidden weight −1
    0x00, 0x00, 0x00, 0x3E, 0x00, 0x00, 0x40, 0x40, // biases of s and t: 0.125, 3
    0x00, 0x00, 0x00, 0xBF, 0x00, 0x00, 0xC0, 0x3F, // weights of s and t: −0.5, 1.5
    0xBF, 0x66, 0xFF, 0x96,                      // checksum
];

/// A velocity field of one dimension and one context number, whose net has the sizes 3-1.
#[rustfmt::skip]
pub const FLOW_MATCHING: [u8; 68] = [
    b'f', b'l', b'o', b'w', b'l', b'e', b't', 1, // magic, version
    68, 0, 0, 0,                                 // length
    5, b'f', b'i', b'e', b'l', b'd',             // name
    0,                                           // no labels
    1, 1, 0, 0,                                  // dimensions, context numbers, neither whitened nor calibrated
    1, 0xAC, 0x02,                               // flow matching, 300 steps
    0, 0,                                        // f32, tanh
    0,                                           // no hidden layer
    1, 0,                                        // padding
    32,                                          // bytes of weights
    0x00, 0x00, 0x00, 0x3F,                      // mean 0.5
    0x00, 0x00, 0x80, 0xBF,                      // mean of the context −1
    0x00, 0x00, 0x00, 0x40,                      // standard deviation 2
    0x00, 0x00, 0x00, 0x3F,                      // standard deviation of the context 0.5
    0x00, 0x00, 0x80, 0x3E,                      // bias 0.25
    0x00, 0x00, 0x80, 0x3F,                      // weight of x: 1
    0x00, 0x00, 0x80, 0xBF,                      // weight of t: −1
    0x00, 0x00, 0x40, 0x40,                      // weight of the context: 3
    0x38, 0xF7, 0x1B, 0xC7,                      // checksum
];

/// The weights of a RealNVP of one layer in integers, whose net has the sizes 1-1-2.
#[rustfmt::skip]
pub const INT8_WEIGHTS: [u8; 88] = [
    0, 0, 0, 0, 0, 0, 0, 0,                         // mean 0, 0
    0x00, 0x00, 0x80, 0x3F, 0x00, 0x00, 0x80, 0x3F, // standard deviation 1, 1
    2, 22, 0, 0,                        // sums in units of 2^-18, inputs of 2^-22
    0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // biases: 2^16, which is 0.25; padding
    0, 16, 0, 0, 0, 0, 0, 0,            // weights: 4096, which is 1; padding
    3, 0, 0, 0,                         // sums in units of 2^-17
    1, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, // biases: 1, −2; padding
    // Weights: 100 for s; −3 for t, with 128 added, before it; padding.
    125, 100, 128, 0, 128, 0, 128, 0, 128, 0, 128, 0, 128, 0, 128, 0,
    0xE8, 0x03, 0xFF, 0x7F, 0, 0, 0, 0, // multipliers: 1000, 32767; padding
];

/// What [`REAL_NVP`] says of its numbers.
pub fn real_nvp_description() -> Description<'static> {
    Description {
        name: "nvp",
        labels: "a\nb",
        dim: 2,
        context_dim: 0,
        whitened: true,
        calibrated: false,
        kind: Kind::RealNvp {
            layer_count: 1,
            scale_clip: 2.0,
        },
        net: Net {
            precision: Precision::F32,
            activation: Activation::Tanh,
            hidden: [1].into_iter().collect(),
        },
    }
}

/// What [`INT8_WEIGHTS`] are the weights of.
pub fn int8_description() -> Description<'static> {
    let float = real_nvp_description();
    Description {
        whitened: false,
        net: Net {
            precision: Precision::Int8,
            ..float.net
        },
        ..float
    }
}

/// What [`FLOW_MATCHING`] says of its numbers.
pub fn flow_matching_description() -> Description<'static> {
    Description {
        name: "field",
        labels: "",
        dim: 1,
        context_dim: 1,
        whitened: false,
        calibrated: false,
        kind: Kind::FlowMatching {
            step_count: NonZeroU16::new(300).expect("300 is not 0"),
        },
        net: Net {
            precision: Precision::F32,
            activation: Activation::Tanh,
            hidden: [].into_iter().collect(),
        },
    }
}

/// The flow of [`REAL_NVP`].
pub fn real_nvp() -> Flow {
    let hidden = Dense {
        weight: arr2(&[[-1.0]]),
        bias: arr1(&[0.25]),
    };
    let output = Dense {
        weight: arr2(&[[-0.5], [1.5]]),
        bias: arr1(&[0.125, 3.0]),
    };
    Flow {
        name: "nvp".into(),
        labels: vec!["a".into(), "b".into()],
        dim: 2,
        context_dim: 0,
        mean: vec![1.0, -2.0],
        std: vec![0.5, 4.0],
        factor: Some(arr2(&[[1.0, 0.0], [-0.75, 0.5]])),
        kind: FlowKind::RealNvp { scale_clip: 2.0 },
        nets: vec![Mlp {
            layers: vec![hidden, output],
            activation: Activation::Tanh,
        }],
    }
}

/// A flow that is written as [`FLOW_MATCHING`]: without a hidden layer its activation says nothing.
pub fn flow_matching() -> Flow {
    let output = Dense {
        weight: arr2(&[[1.0, -1.0, 3.0]]),
        bias: arr1(&[0.25]),
    };
    Flow {
        name: "field".into(),
        labels: vec![],
        dim: 1,
        context_dim: 1,
        mean: vec![0.5, -1.0],
        std: vec![2.0, 0.5],
        factor: None,
        kind: FlowKind::FlowMatching { step_count: 300 },
        nets: vec![Mlp {
            layers: vec![output],
            activation: Activation::Elu,
        }],
    }
}
