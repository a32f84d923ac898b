//! A flow with its weights, between training or import and the file.

pub use flowlet::format::Activation;

use ndarray::Array2;

use crate::nn::Mlp;

/// A RealNVP or flow-matching model in `f32`, whole: the transform of the data and all nets.
#[derive(Clone, Debug)]
pub struct Flow {
    /// The model's name.
    pub name: String,
    /// The names of the `dim` columns, then of the `context_dim` context numbers; or empty.
    pub labels: Vec<String>,
    /// Number of dimensions of a point.
    pub dim: usize,
    /// Number of context numbers.
    pub context_dim: usize,
    /// Mean of each of the `dim` columns of the training data, then of each context number.
    pub mean: Vec<f32>,
    /// Standard deviations in the same order. All nets work on v = (value − mean) / std.
    pub std: Vec<f32>,
    /// The Cholesky factor F of the correlation of the `dim` columns, lower triangular: where there is
    /// one, nets work on F⁻¹ v in place of a point's v.
    pub factor: Option<Array2<f32>>,
    /// Which kind of flow the nets make up.
    pub kind: FlowKind,
    /// One net a coupling layer, or the one net of a velocity field.
    pub nets: Vec<Mlp<f32>>,
}

/// The two kinds of flow, each with what only it has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FlowKind {
    /// Affine couplings; `s` is clipped to `[-scale_clip, scale_clip]`.
    RealNvp {
        /// Largest magnitude of `s`.
        scale_clip: f32,
    },
    /// A velocity field, integrated by Euler's method.
    FlowMatching {
        /// Steps unless told otherwise.
        step_count: u16,
    },
}

#[cfg(test)]
impl Flow {
    /// The velocity `slope` · x + `bias` in one dimension, where data have mean 2 and standard deviation 3.
    pub(crate) fn linear_field(slope: f32, bias: f32, step_count: u16) -> Self {
        let layer = crate::nn::Dense {
            weight: ndarray::array![[slope, 0.0]],
            bias: ndarray::array![bias],
        };
        Self {
            name: "field".into(),
            labels: vec![],
            dim: 1,
            context_dim: 0,
            mean: vec![2.0],
            std: vec![3.0],
            factor: None,
            kind: FlowKind::FlowMatching { step_count },
            nets: vec![Mlp {
                layers: vec![layer],
                activation: Activation::Elu,
            }],
        }
    }
}
