//! Flows that were trained elsewhere, as safetensors files.
//!
//! Metadata: `kind` (`real_nvp` or `flow_matching`), `dim`, `context_dim` (0 unless given),
//! `activation` (`tanh` or `elu`), for RealNVP `scale_clip`, for flow matching `step_count` (100
//! unless given).
//!
//! Tensors, `F32` or `F64`: `data.mean` and `data.std` `[dim]`, or `[dim + context_dim]` where the nets
//! read a standardized context (else they read it as it is: mean 0, deviation 1); where the nets read
//! F⁻¹ (x − mean) / std in place of (x − mean) / std, as where points are whitened, the lower triangular
//! matrix F as `data.factor` `[dim, dim]`; for RealNVP
//! `layers.{k}.net.{j}.weight` and `.bias`, for flow matching `net.{j}.weight` and `.bias`, where
//! every weight is `[outputs, inputs]` as in PyTorch and Equinox, and every bias `[outputs]`.

use std::collections::HashMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use flowlet::format::{MAX_CONTEXT_DIM, MAX_DIM};
use ndarray::{Array1, Array2};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::data::name_of;
use crate::error::Error;
use crate::flow::{Activation, Flow, FlowKind};
use crate::nn::{Dense, Mlp};

/// Euler steps of a flow-matching model whose file names none.
const DEFAULT_STEP_COUNT: u16 = 100;

/// The tensor that points are whitened by.
const FACTOR: &str = "data.factor";

/// Reads a flow from a safetensors file; the module's page has the names.
///
/// # Errors
///
/// [`Error::Io`] where the file cannot be read, [`Error::Import`] with what is missing or amiss,
/// [`Error::Limit`] where `dim` or `context_dim` is beyond the format's limits.
pub fn import(path: &Path) -> Result<Flow, Error> {
    let bytes = std::fs::read(path).map_err(|source| Error::cannot_read(path, source))?;
    let source = Source::new(path, &bytes)?;
    let dim = source.size("dim", None, "dimension", MAX_DIM)?;
    let context_dim = source.size("context_dim", Some(0), "context", MAX_CONTEXT_DIM)?;
    let kind = source.kind()?;
    let nets = source.nets(&kind)?;
    source.check_all_used(&nets, &kind)?;
    Ok(Flow {
        name: name_of(path),
        labels: Vec::new(),
        dim,
        context_dim,
        mean: source.columns("data.mean", dim, context_dim, 0.0)?,
        std: source.columns("data.std", dim, context_dim, 1.0)?,
        factor: source.factor(dim)?,
        kind,
        nets,
    })
}

/// An open safetensors file.
struct Source<'a> {
    path: PathBuf,
    metadata: HashMap<String, String>,
    tensors: SafeTensors<'a>,
}

impl<'a> Source<'a> {
    fn new(path: &Path, bytes: &'a [u8]) -> Result<Self, Error> {
        let broken = |error| Error::Import {
            path: path.into(),
            problem: format!("is not a safetensors file ({error})"),
        };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
        Ok(Self {
            path: path.into(),
            metadata: header.metadata().clone().unwrap_or_default(),
            tensors: SafeTensors::deserialize(bytes).map_err(broken)?,
        })
    }

    fn problem(&self, problem: impl Display) -> Error {
        Error::Import {
            path: self.path.clone(),
            problem: problem.to_string(),
        }
    }

    fn text(&self, key: &str) -> Result<&str, Error> {
        let value = self.metadata.get(key).map(String::as_str);
        value.ok_or_else(|| {
            self.problem(format_args!(
                "has no metadata {key:?}: add it when the file is saved, as `flowlet import --help` shows"
            ))
        })
    }

    fn number<T: FromStr>(&self, key: &str, default: Option<T>) -> Result<T, Error> {
        if let (Some(default), false) = (default, self.metadata.contains_key(key)) {
            return Ok(default);
        }
        let text = self.text(key)?;
        text.trim().parse().map_err(|_| {
            self.problem(format_args!(
                "has metadata {key:?} = {text:?}, which is not a number that fits"
            ))
        })
    }

    /// A number that is checked before anything is added to it.
    fn size(
        &self,
        key: &str,
        default: Option<usize>,
        what: &'static str,
        max: usize,
    ) -> Result<usize, Error> {
        match self.number(key, default)? {
            found if found > max => Err(Error::Limit { what, found, max }),
            size => Ok(size),
        }
    }

    fn kind(&self) -> Result<FlowKind, Error> {
        match self.text("kind")? {
            "real_nvp" => Ok(FlowKind::RealNvp {
                scale_clip: self.number("scale_clip", None)?,
            }),
            "flow_matching" => Ok(FlowKind::FlowMatching {
                step_count: self.number("step_count", Some(DEFAULT_STEP_COUNT))?,
            }),
            other => Err(self.problem(format_args!(
                "has kind {other:?}: known are real_nvp and flow_matching"
            ))),
        }
    }

    fn activation(&self) -> Result<Activation, Error> {
        match self.text("activation")? {
            "tanh" => Ok(Activation::Tanh),
            "elu" => Ok(Activation::Elu),
            other => Err(self.problem(format_args!(
                "has activation {other:?}: known are tanh and elu"
            ))),
        }
    }

    fn nets(&self, kind: &FlowKind) -> Result<Vec<Mlp<f32>>, Error> {
        match kind {
            FlowKind::FlowMatching { .. } => Ok(vec![self.net("net")?]),
            FlowKind::RealNvp { .. } => (0..self.count(|k| format!("layers.{k}.net.0.weight")))
                .map(|k| self.net(&format!("layers.{k}.net")))
                .collect(),
        }
    }

    /// How many of the names `name(0)`, `name(1)`, … there are in a row, at least one.
    fn count(&self, name: impl Fn(usize) -> String) -> usize {
        let there = |k: &usize| self.tensors.tensor(&name(*k)).is_ok();
        (0..).take_while(there).count().max(1)
    }

    fn net(&self, prefix: &str) -> Result<Mlp<f32>, Error> {
        let depth = self.count(|j| format!("{prefix}.{j}.weight"));
        let layer = |j| -> Result<_, Error> {
            let weight = self.matrix(&format!("{prefix}.{j}.weight"))?;
            let bias = self.vector(&format!("{prefix}.{j}.bias"), weight.nrows())?;
            Ok(Dense { weight, bias })
        };
        Ok(Mlp {
            layers: (0..depth).map(layer).collect::<Result<_, _>>()?,
            activation: self.activation()?,
        })
    }

    /// That no tensor is left over: one that is would change what the model does.
    fn check_all_used(&self, nets: &[Mlp<f32>], kind: &FlowKind) -> Result<(), Error> {
        let mut used: Vec<String> = ["data.mean", "data.std", FACTOR].map(Into::into).into();
        for (k, net) in nets.iter().enumerate() {
            let prefix = match kind {
                FlowKind::RealNvp { .. } => format!("layers.{k}.net"),
                FlowKind::FlowMatching { .. } => "net".to_owned(),
            };
            for j in 0..net.layers.len() {
                used.push(format!("{prefix}.{j}.weight"));
                used.push(format!("{prefix}.{j}.bias"));
            }
        }
        let mut names = self.tensors.names();
        names.sort_unstable();
        match names
            .iter()
            .find(|name| !used.iter().any(|used| used == *name))
        {
            Some(name) => Err(self.problem(format_args!(
                "has a tensor {name:?} that no {} has: rename it or leave it out",
                match kind {
                    FlowKind::RealNvp { .. } => "RealNVP",
                    FlowKind::FlowMatching { .. } => "velocity field",
                }
            ))),
            None => Ok(()),
        }
    }

    /// The matrix that points are whitened by, if there is one.
    fn factor(&self, dim: usize) -> Result<Option<Array2<f32>>, Error> {
        if self.tensors.tensor(FACTOR).is_err() {
            return Ok(None);
        }
        let factor = self.matrix(FACTOR)?;
        if factor.dim() != (dim, dim) {
            return Err(self.problem(format_args!(
                "has tensor {FACTOR:?} of shape {:?}, expected [{dim}, {dim}]",
                factor.shape()
            )));
        }
        let above = |((i, j), value): ((usize, usize), &f32)| j > i && *value != 0.0;
        if factor.indexed_iter().any(above) {
            return Err(self.problem(format_args!(
                "has tensor {FACTOR:?} with numbers above its diagonal: save the lower Cholesky factor of the correlation matrix"
            )));
        }
        Ok(Some(factor))
    }

    fn matrix(&self, name: &str) -> Result<Array2<f32>, Error> {
        let tensor = self.tensor(name)?;
        let &[outputs, inputs] = tensor.shape() else {
            return Err(self.problem(format_args!(
                "has tensor {name:?} of shape {:?}, expected [outputs, inputs]",
                tensor.shape()
            )));
        };
        let values = self.values(name, &tensor)?;
        Array2::from_shape_vec((outputs, inputs), values).map_err(|_| {
            // A side of zero hides another that no memory holds.
            self.problem(format_args!(
                "has tensor {name:?} of shape [{outputs}, {inputs}], which is no matrix"
            ))
        })
    }

    fn vector(&self, name: &str, length: usize) -> Result<Array1<f32>, Error> {
        let tensor = self.tensor(name)?;
        if tensor.shape() != [length] {
            return Err(self.problem(format_args!(
                "has tensor {name:?} of shape {:?}, expected [{length}]",
                tensor.shape()
            )));
        }
        Ok(self.values(name, &tensor)?.into())
    }

    /// A number for each column of the point and of the context; `default` for a context that the
    /// tensor leaves out.
    fn columns(
        &self,
        name: &str,
        dim: usize,
        context_dim: usize,
        default: f32,
    ) -> Result<Vec<f32>, Error> {
        let tensor = self.tensor(name)?;
        let column_count = dim + context_dim;
        if tensor.shape() != [dim] && tensor.shape() != [column_count] {
            let or = match context_dim {
                0 => String::new(),
                _ => format!(" or [{column_count}]"),
            };
            return Err(self.problem(format_args!(
                "has tensor {name:?} of shape {:?}, expected [{dim}]{or}",
                tensor.shape()
            )));
        }
        let mut columns = self.values(name, &tensor)?;
        columns.resize(column_count, default);
        Ok(columns)
    }

    fn tensor(&self, name: &str) -> Result<TensorView<'a>, Error> {
        self.tensors.tensor(name).map_err(|_| {
            let mut names = self.tensors.names();
            names.sort_unstable();
            names.truncate(4);
            self.problem(format_args!(
                "has no tensor {name:?}; its first are {}",
                names.join(", ")
            ))
        })
    }

    fn values(&self, name: &str, tensor: &TensorView<'_>) -> Result<Vec<f32>, Error> {
        match tensor.dtype() {
            Dtype::F32 => Ok(numbers(tensor.data(), f32::from_le_bytes)),
            Dtype::F64 => Ok(numbers(tensor.data(), |b| f64::from_le_bytes(b) as f32)),
            other => Err(self.problem(format_args!(
                "has tensor {name:?} of type {other:?}: save it as F32"
            ))),
        }
    }
}

fn numbers<const BYTES: usize>(data: &[u8], number: impl Fn([u8; BYTES]) -> f32) -> Vec<f32> {
    let (words, _) = data.as_chunks();
    words.iter().map(|word| number(*word)).collect()
}
