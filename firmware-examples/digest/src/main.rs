#![no_std]
#![no_main]
//! Prints one number that stands for all bits of many samples, and of their log-probabilities where
//! the model has them.
//!
//! ```text
//! digest d3a84c1f90e7b265
//! ```
//!
//! It is FNV-1a over 32-bit words: those of a point, then that of its log-probability.

use core::fmt::{self, Write};

use flowlet::{Density, Kind, Model, Sampler, Scratch, include_model};
use support::{Board, Request, RequestError, ThisBoard};

include!(concat!(env!("OUT_DIR"), "/model.rs"));

static MODEL: &[u8] = include_model!(concat!(env!("OUT_DIR"), "/model.flow"));

#[support::entry]
fn main() -> ! {
    support::run(digest)
}

fn digest(board: &mut ThisBoard) -> Result<(), Error> {
    let request = board.with_arguments(|arguments| Request::parse(arguments))?;
    let mut rng = board.random(request.seed);

    let model = Model::from_bytes(MODEL)?;
    let (mut sampler_scratch, mut density_scratch) = (Scratch::new(), Scratch::new());
    let mut sampler = sampler(&model, &request, &mut sampler_scratch)?;
    let mut density = density(&model, &request, &mut density_scratch)?;

    let mut digest = Digest::new();
    for _ in 0..request.sample_count {
        let mut x = [0.0; DIM];
        sampler.sample(&mut rng, &mut x);
        x.iter().for_each(|x| digest.add(*x));
        if let Some(density) = &mut density {
            digest.add(density.log_prob(&x));
        }
    }
    Ok(writeln!(board.console(), "digest {:016x}", digest.0)?)
}

/// FNV-1a with 64 bits, a word at a time.
struct Digest(u64);

impl Digest {
    fn new() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }

    fn add(&mut self, number: f32) {
        self.0 ^= u64::from(number.to_bits());
        self.0 = self.0.wrapping_mul(0x0000_0100_0000_01B3);
    }
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
