//! `flowlet import`.

use std::path::PathBuf;

use anyhow::ensure;
use flowlet_trainer::export::export;
use flowlet_trainer::import::import;
use flowlet_trainer::output::check_writable;

use super::calibration::Calibration;
use super::report::Report;
use super::summary::add_model;
use super::{Precision, check_apart};

/// Turns a flow trained in PyTorch or JAX into a model file
///
/// The safetensors file holds float tensors: `data.mean` and `data.std`, dim numbers each or
/// dim + context_dim where the context is standardized too, and for each layer `weight`,
/// outputs x inputs, and `bias`. Their names are `layers.{k}.net.{j}.weight` and so on for a RealNVP,
/// `net.{j}.weight` for a velocity field. Its metadata are strings: `kind` (real_nvp or
/// flow_matching), `dim`, `context_dim`, `activation` (tanh or elu), and `scale_clip` for a RealNVP or
/// `step_count` for a velocity field.
///
/// RealNVP: with u = (x - mean) / std, and the context likewise, layer k moves the dimensions i with
/// i + k odd. Its net reads the kept ones and the context, and gives s for each moved one, then t for
/// each; s is clipped to +-scale_clip, and moved' = moved * exp(s) + t. Velocity field: the net reads
/// the point, the time and the context, and gives dx/dt, from noise at t = 0 to data at t = 1, in the
/// units of u. Where the nets were trained on u = F^-1 (x - mean) / std, `data.factor` is the lower
/// triangular matrix F, dim x dim.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example, in Python and then in the shell:
  safetensors.numpy.save_file(tensors, \"flow.safetensors\", metadata={
      \"kind\": \"real_nvp\", \"dim\": \"2\", \"context_dim\": \"0\",
      \"activation\": \"tanh\", \"scale_clip\": \"2.0\"})
  flowlet import flow.safetensors -o flow.flow")]
pub(super) struct Arguments {
    /// The safetensors file
    file: PathBuf,
    /// Where to write the model file
    #[arg(short, long, value_name = "FILE.flow")]
    output: PathBuf,
    /// How the numbers of the nets are stored
    #[arg(long, default_value = "int8")]
    precision: Precision,
    #[command(flatten)]
    calibration: Calibration,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let read = [Some(arguments.file.as_path()), arguments.calibration.path()];
    check_apart(&read, &[Some(&arguments.output)])?;
    check_writable(&arguments.output)?;
    let flow = import(&arguments.file)?;
    let mut loss = Report::default();
    let file = match arguments.precision {
        Precision::Int8 => arguments.calibration.quantize(&flow, &mut loss)?,
        Precision::F32 => {
            arguments.calibration.check()?;
            ensure!(
                arguments.calibration.path().is_none(),
                "--data is for int8 nets: leave it out, or leave out --precision f32"
            );
            export(&flow, flowlet::Precision::F32)?
        }
    };
    file.write(&arguments.output)?;
    let mut report = Report::default();
    add_model(&mut report, &file.model()?, file.bytes().len());
    report.append(loss);
    Ok(report.print(arguments.json)?)
}
