//! From a flow with its weights to the bytes of a model file.

mod int8;

use std::num::NonZeroU16;

use flowlet::format::{self, Body, Description, File, Header, Kind, Net};
use flowlet::{Activation, Precision, Threshold};
use ndarray::Array2;

use crate::error::Error;
use crate::flow::{Flow, FlowKind};
use crate::model_file::ModelFile;
use crate::nn::{Dense, Mlp};
use crate::quantize::{QuantizedFlow, quantize};

/// Writes a flow as a model file, checked by the runtime's own loader.
///
/// Integer nets are calibrated on the flow's own samples: [`quantize`] takes rows of data too.
///
/// # Errors
///
/// [`Error::Limit`] where a size is beyond the format's limits, [`Error::NoNets`],
/// [`Error::NoSteps`], [`Error::Unequal`] where the nets differ in their hidden layers or activation,
/// [`Error::Count`] where means, standard deviations or biases are too many or too few,
/// [`Error::Model`] with what the runtime has against the rest, as a number that is not finite.
pub fn export(flow: &Flow, precision: Precision) -> Result<ModelFile, Error> {
    match precision {
        Precision::F32 => write(flow, precision, &float_nets(flow)),
        Precision::Int8 => quantize(flow, None)?.export(),
    }
}

impl QuantizedFlow {
    /// Writes the flow as a model file, checked by the runtime's own loader.
    ///
    /// # Errors
    ///
    /// As [`export`].
    pub fn export(&self) -> Result<ModelFile, Error> {
        let nets: Vec<u8> = self.nets.iter().flat_map(int8::net).collect();
        write(&self.flow, Precision::Int8, &nets)
    }
}

/// A model file of this flow, whose nets have these bytes.
fn write(flow: &Flow, precision: Precision, nets: &[u8]) -> Result<ModelFile, Error> {
    // The file has one label a line.
    let labels: Vec<String> = flow.labels.iter().map(|l| l.replace('\n', " ")).collect();
    let labels = labels.join("\n");
    let description = Description {
        name: &flow.name,
        labels: &labels,
        dim: limited("dimension", flow.dim, format::MAX_DIM)?,
        context_dim: limited("context", flow.context_dim, format::MAX_CONTEXT_DIM)?,
        whitened: flow.factor.is_some(),
        calibrated: false,
        kind: kind(flow)?,
        net: net(flow, precision)?,
    };
    let column_count = description.column_count();
    check_count("means", flow.mean.len(), column_count)?;
    check_count("standard deviations", flow.std.len(), column_count)?;
    if let Some(factor) = &flow.factor {
        let expected = flow.dim;
        check_count("rows in its Cholesky factor", factor.nrows(), expected)?;
        check_count("columns in its Cholesky factor", factor.ncols(), expected)?;
    }
    for (k, net) in flow.nets.iter().enumerate() {
        check_shape(&description, k, net)?;
    }
    let factor = flow.factor.iter().flat_map(lower_triangle);
    let mut weights = bytes_of(flow.mean.iter().chain(&flow.std).chain(factor));
    weights.extend(nets);
    let file = ModelFile::from_bytes(&flow.name, &encode(&description, &weights));
    file.model()?;
    Ok(file)
}

/// The same model with this threshold, and without the one it has.
///
/// # Errors
///
/// [`Error::Model`] where the file holds no model, or one without log-probabilities.
pub fn with_threshold(file: &ModelFile, threshold: &Threshold) -> Result<ModelFile, Error> {
    let model = file.model()?;
    let old = model.description();
    let end = file.bytes().len() - size_of::<u32>();
    let weights = &file.bytes()[end - 4 * old.word_count()..end];
    let (transform, rest) = weights.split_at(4 * old.transform_len());
    let nets = &rest[4 * (old.nets_start() - old.transform_len())..];
    let Threshold {
        log_prob,
        false_alarms,
        at_least,
        at_most,
        rows,
    } = *threshold;
    let numbers = bytes_of([log_prob, false_alarms, at_least, at_most].iter());
    let weights = [transform, &numbers, &rows.to_le_bytes(), nets].concat();
    let description = Description {
        calibrated: true,
        ..old.clone()
    };
    let file = ModelFile::from_bytes(file.path(), &encode(&description, &weights));
    file.model()?;
    Ok(file)
}

fn kind(flow: &Flow) -> Result<Kind, Error> {
    Ok(match flow.kind {
        FlowKind::RealNvp { scale_clip } => Kind::RealNvp {
            layer_count: limited("number of layers", flow.nets.len(), format::MAX_LAYER_COUNT)?,
            scale_clip,
        },
        FlowKind::FlowMatching { step_count } => Kind::FlowMatching {
            step_count: NonZeroU16::new(step_count).ok_or(Error::NoSteps)?,
        },
    })
}

fn net(flow: &Flow, precision: Precision) -> Result<Net, Error> {
    let first = flow.nets.first().ok_or(Error::NoNets)?;
    let depth = first.layers.len();
    if depth == 0 || depth > format::MAX_DEPTH {
        return Err(Error::Limit {
            what: "depth",
            found: depth,
            max: format::MAX_DEPTH,
        });
    }
    let width = |layer: &Dense<f32>| limited("width", layer.bias.len(), format::MAX_WIDTH);
    let hidden = first.layers[..depth - 1].iter().map(width);
    Ok(Net {
        precision,
        // The format's one way to say that there is nothing to activate.
        activation: match depth {
            1 => Activation::Tanh,
            _ => first.activation,
        },
        hidden: hidden.collect::<Result<_, _>>()?,
    })
}

/// A size as the file holds it.
fn limited<T: TryFrom<usize>>(what: &'static str, found: usize, max: usize) -> Result<T, Error> {
    let limit = Error::Limit { what, found, max };
    let size = (found <= max).then(|| T::try_from(found).ok());
    size.flatten().ok_or(limit)
}

fn check_count(what: &'static str, found: usize, expected: usize) -> Result<(), Error> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Count {
        what,
        found,
        expected,
    })
}

/// That net `k` has the shape and activation that the file gives all nets.
fn check_shape(description: &Description<'_>, k: usize, net: &Mlp<f32>) -> Result<(), Error> {
    for layer in &net.layers {
        check_count("biases in a layer", layer.bias.len(), layer.weight.nrows())?;
    }
    let expected: Vec<_> = description.layer_ends(k).collect();
    let found: Vec<_> = net
        .layers
        .iter()
        .map(|layer| (layer.weight.ncols(), layer.weight.nrows()))
        .collect();
    let activates = !description.net.hidden.is_empty();
    if found == expected && (!activates || net.activation == description.net.activation) {
        return Ok(());
    }
    Err(Error::Unequal {
        net: k,
        found: chain(&found),
        expected: chain(&expected),
    })
}

/// `[(1, 64), (64, 2)]` as `1-64-2`.
fn chain(layers: &[(usize, usize)]) -> String {
    let inputs = layers.first().map(|(inputs, _)| *inputs);
    let sizes = inputs.into_iter().chain(layers.iter().map(|(_, n)| *n));
    sizes.map(|n| n.to_string()).collect::<Vec<_>>().join("-")
}

/// Row by row, with the diagonal.
fn lower_triangle(matrix: &Array2<f32>) -> impl Iterator<Item = &f32> {
    let rows = matrix.rows().into_iter().enumerate();
    rows.flat_map(|(i, row)| row.into_iter().take(i + 1))
}

/// Net by net and layer by layer the biases and the weights `[inputs, outputs]`.
fn float_nets(flow: &Flow) -> Vec<u8> {
    let layers = flow.nets.iter().flat_map(|net| &net.layers);
    bytes_of(layers.flat_map(|layer| layer.bias.iter().chain(layer.weight.t())))
}

fn bytes_of<'n>(numbers: impl Iterator<Item = &'n f32>) -> Vec<u8> {
    numbers.flat_map(|number| number.to_le_bytes()).collect()
}

fn encode(description: &Description<'_>, weights: &[u8]) -> Vec<u8> {
    let mut file = File {
        header: Header {
            magic: format::MAGIC,
            version: format::VERSION,
            length: 0,
        },
        body: Body {
            description: description.clone(),
            padding: &[],
            weights,
            checksum: 0,
        },
    };
    let bytes = to_bytes(&file);
    let before_weights = bytes.len() - weights.len() - size_of_val(&file.body.checksum);
    file.body.padding = &[0; 3][..before_weights.next_multiple_of(4) - before_weights];
    let length = bytes.len() + file.body.padding.len();
    file.header.length = u32::try_from(length).expect("the format's limits keep files below 4 GB");

    let mut bytes = to_bytes(&file);
    let content = length - size_of_val(&file.body.checksum);
    let checksum = format::checksum(&bytes[..content]).to_le_bytes();
    bytes[content..].copy_from_slice(&checksum);
    bytes
}

fn to_bytes(file: &File<'_>) -> Vec<u8> {
    postcard::to_allocvec(file).expect("a vector takes any length")
}
