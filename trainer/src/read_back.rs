//! Flows read back from model files: the inverse of [`export`](crate::export::export).

use flowlet::format::Kind;
use flowlet::{Model, Precision};
use ndarray::{Array1, Array2, s};

use crate::error::Error;
use crate::flow::{Flow, FlowKind};
use crate::model_file::ModelFile;
use crate::nn::{Dense, Mlp};

/// Reads a flow from a model file whose numbers are `f32`.
///
/// # Errors
///
/// [`Error::Model`] where the file is none, [`Error::Quantized`] where its nets are integers, which
/// tell no more what they were rounded from.
pub fn read_back(file: &ModelFile) -> Result<Flow, Error> {
    let model = file.model()?;
    let description = model.description();
    if description.net.precision != Precision::F32 {
        return Err(Error::Quantized {
            path: file.path().into(),
        });
    }
    let (transform, nets) = weights(file, &model).split_at(4 * description.transform_len());
    let (mut transform, dim) = (Numbers(transform), model.dim());
    // A threshold, if there is one, was chosen for these very nets, and stays behind.
    let threshold_len = description.nets_start() - description.transform_len();
    let mut nets = Numbers(&nets[4 * threshold_len..]);
    Ok(Flow {
        name: model.name().into(),
        labels: model.labels().map(Into::into).collect(),
        dim,
        context_dim: model.context_dim(),
        mean: transform.take(model.mean().len()),
        std: transform.take(model.std().len()),
        factor: description.whitened.then(|| transform.lower_triangle(dim)),
        kind: match model.kind() {
            Kind::RealNvp { scale_clip, .. } => FlowKind::RealNvp { scale_clip },
            Kind::FlowMatching { step_count } => FlowKind::FlowMatching {
                step_count: step_count.get(),
            },
        },
        nets: (0..description.net_count())
            .map(|k| Mlp {
                layers: description
                    .layer_ends(k)
                    .map(|(inputs, outputs)| nets.layer(inputs, outputs))
                    .collect(),
                activation: description.net.activation,
            })
            .collect(),
    })
}

fn weights<'a>(file: &'a ModelFile, model: &Model<'_>) -> &'a [u8] {
    let end = file.bytes().len() - size_of::<u32>();
    &file.bytes()[end - 4 * model.description().word_count()..end]
}

/// The numbers of a file that are not read yet.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn take(&mut self, count: usize) -> Vec<f32> {
        let (head, rest) = self.0.split_at(4 * count);
        self.0 = rest;
        let (words, _) = head.as_chunks();
        words.iter().map(|word| f32::from_le_bytes(*word)).collect()
    }

    /// A square matrix, whose other triangle is 0.
    fn lower_triangle(&mut self, dim: usize) -> Array2<f32> {
        let mut matrix = Array2::zeros((dim, dim));
        for i in 0..dim {
            let row = Array1::from(self.take(i + 1));
            matrix.slice_mut(s![i, ..=i]).assign(&row);
        }
        matrix
    }

    /// The biases and the weights `[inputs, outputs]`.
    fn layer(&mut self, inputs: usize, outputs: usize) -> Dense<f32> {
        let bias = Array1::from(self.take(outputs));
        let weight = Array2::from_shape_vec((inputs, outputs), self.take(inputs * outputs));
        let weight = weight.expect("as many are taken");
        Dense {
            weight: weight.t().as_standard_layout().into_owned(),
            bias,
        }
    }
}

#[cfg(test)]
mod tests {
    use flowlet::format::Activation;
    use ndarray::array;
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::export::export;

    fn flow() -> Flow {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(3);
        Flow {
            name: "flow".into(),
            labels: ["a", "b", "c", "given"].map(Into::into).into(),
            dim: 3,
            context_dim: 1,
            mean: vec![1.0, 2.0, 3.0, 4.0],
            std: vec![5.0, 6.0, 7.0, 8.0],
            factor: Some(array![[1.0, 0.0, 0.0], [0.5, 2.0, 0.0], [-0.25, 4.0, 3.0]]),
            kind: FlowKind::RealNvp { scale_clip: 1.5 },
            nets: vec![
                Mlp::random(&[3, 5, 4, 2], Activation::Elu, rng),
                Mlp::random(&[2, 5, 4, 4], Activation::Elu, rng),
            ],
        }
    }

    #[test]
    fn what_was_exported_comes_back() {
        let flow = flow();
        let back = read_back(&export(&flow, Precision::F32).unwrap()).unwrap();
        assert_eq!(back.nets, flow.nets);
        assert_eq!((back.mean, back.std), (flow.mean, flow.std));
        assert_eq!(back.factor, flow.factor);
        assert_eq!((back.name, back.labels), (flow.name, flow.labels));
        assert_eq!((back.dim, back.context_dim), (flow.dim, flow.context_dim));
        assert_eq!(back.kind, flow.kind);
    }

    #[test]
    fn integers_do_not_come_back() {
        let error = read_back(&export(&flow(), Precision::Int8).unwrap()).unwrap_err();
        assert!(matches!(error, Error::Quantized { .. }), "{error}");
    }
}
