#![no_std]
#![no_main]
//! Prints samples of a model, and their log-probabilities where it has them.
//!
//! ```text
//! moons: RealNVP, 6 layers, 2 dimensions, 0 context numbers
//! sample  0.994681  0.132457  log_prob  -0.071015  bits 3f7ea364 3e07a2ea bd917050
//! sample  1.971460  0.410070  log_prob  -0.151505  bits 3ffc58ca 3ed1f4b0 be1b2440
//! done: 2 samples
//! ```
//!
//! The bits are those of the point and then of the log-probability.

use core::fmt::{self, Write};

use flowlet::{Density, Kind, Model, Sampler, Scratch, include_model};
use support::{Board, Request, RequestError, ThisBoard};

include!(concat!(env!("OUT_DIR"), "/model.rs"));

static MODEL: &[u8] = include_model!(concat!(env!("OUT_DIR"), "/model.flow"));

#[support::entry]
fn main() -> ! {
    support::run(sample)
}

fn sample(board: &mut ThisBoard) -> Result<(), Error> {
    let request = board.with_arguments(|arguments| Request::parse(arguments))?;
    let mut rng = board.random(request.seed);
    let console = board.console();

    let model = Model::from_bytes(MODEL)?;
    let (mut sampler_scratch, mut density_scratch) = (Scratch::new(), Scratch::new());
    let mut sampler = sampler(&model, &request, &mut sampler_scratch)?;
    let mut density = density(&model, &request, &mut density_scratch)?;

    write_model(console, &model)?;
    for _ in 0..request.sample_count {
        let mut x = [0.0; DIM];
        sampler.sample(&mut rng, &mut x);
        let log_prob = density.as_mut().map(|density| density.log_prob(&x));
        write_sample(console, &x, log_prob)?;
    }
    Ok(writeln!(console, "done: {} samples", request.sample_count)?)
}

fn sampler<'s>(
    model: &'s Model<'_>,
    request: &'s Request<CONTEXT_DIM>,
    scratch: &'s mut Scratch<SCRATCH_LEN>,
) -> Result<Sampler<'s, DIM>, flowlet::Error> {
    let mut sampler = model.sampler_given(&request.context, scratch)?;
    if let Some(step_count) = request.step_count {
        sampler.set_step_count(step_count);
    }
    Ok(sampler)
}

/// None where the model has no log-probability.
fn density<'s>(
    model: &'s Model<'_>,
    request: &'s Request<CONTEXT_DIM>,
    scratch: &'s mut Scratch<SCRATCH_LEN>,
) -> Result<Option<Density<'s, DIM>>, flowlet::Error> {
    match model.kind() {
        Kind::RealNvp { .. } => model.density_given(&request.context, scratch).map(Some),
        Kind::FlowMatching { .. } => Ok(None),
    }
}

fn write_model(console: &mut impl Write, model: &Model<'_>) -> fmt::Result {
    write!(console, "{}: ", model.name())?;
    match model.kind() {
        Kind::RealNvp { layer_count, .. } => write!(console, "RealNVP, {layer_count} layers")?,
        Kind::FlowMatching { step_count } => {
            write!(console, "flow matching, {step_count} steps")?;
        }
    }
    writeln!(console, ", {DIM} dimensions, {CONTEXT_DIM} context numbers")
}

fn write_sample(console: &mut impl Write, x: &[f32; DIM], log_prob: Option<f32>) -> fmt::Result {
    console.write_str("sample")?;
    for x in x {
        write!(console, " {x:9.6}")?;
    }
    if let Some(log_prob) = log_prob {
        write!(console, "  log_prob {log_prob:10.6}")?;
    }
    console.write_str("  bits")?;
    for value in x.iter().chain(&log_prob) {
        write!(console, " {:08x}", value.to_bits())?;
    }
    console.write_char('\n')
}

#[derive(Debug)]
enum Error {
    Request(RequestError),
    Model(flowlet::Error),
    Console(fmt::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(error) => error.fmt(f),
            Self::Model(error) => error.fmt(f),
            Self::Console(_) => f.write_str("the console takes no text"),
        }
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl From<flowlet::Error> for Error {
    fn from(error: flowlet::Error) -> Self {
        Self::Model(error)
    }
}

impl From<fmt::Error> for Error {
    fn from(error: fmt::Error) -> Self {
        Self::Console(error)
    }
}
