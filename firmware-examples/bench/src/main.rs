#![no_std]
#![no_main]
//! Brackets what a model does, for the instruction counter; the line `proof` as input has it show first
//! that it counts exactly.
//!
//! ```text
//! bracket sample
//! count instructions 68412 loads 20101 stores 3020 stack 236
//! ```
//!
//! The second line is the counter's. Scratch and points are not on the stack that is counted.

mod proof;

use core::fmt::{self, Write};
use core::hint::black_box;
use core::num::NonZeroU16;

use bracket::bracket;
use flowlet::{Flow, Model, Precision, Scratch, StandardNormal, include_model};
use rand_xoshiro::{Xoshiro128PlusPlus, rand_core::SeedableRng};
use support::{Board, Requests, ThisBoard};

include!(concat!(env!("OUT_DIR"), "/model.rs"));

static MODEL: &[u8] = include_model!(concat!(env!("OUT_DIR"), "/model.flow"));

/// Conditions that the counts depend on the least: zeros.
const CONTEXT: [f32; CONTEXT_DIM] = [0.0; CONTEXT_DIM];
/// Draws in one bracket, since one draw in thirty takes longer.
const NORMALS: usize = 1000;
/// What a net's input counts in, usually.
const UNIT: f32 = (1 << 22) as f32;
/// Brackets of one kind, each after its own noise.
const REPEATS: usize = 5;

#[support::entry]
fn main() -> ! {
    support::run(bench)
}

fn bench(board: &mut ThisBoard) -> Result<(), Error> {
    let mut requests = Requests::new();
    let line = requests.line(board).map_err(|_| fmt::Error)?;
    let proof = line == Some(Ok("proof"));
    let console = &mut board.console();
    if proof {
        proof::prove(console)?;
    }
    let model = counted(console, "load", || Model::from_bytes(black_box(MODEL)))??;
    let mut rng = Xoshiro128PlusPlus::seed_from_u64(black_box(7));
    counted(console, "normals", || {
        let sum: f32 = (0..NORMALS).map(|_| StandardNormal.sample(&mut rng)).sum();
        black_box(sum);
    })?;
    let mut scratch = Scratch::<SCRATCH_LEN>::new();
    let mut x = [0.0; DIM];
    for _ in 0..REPEATS {
        let mut sampler = model.sampler_given(&CONTEXT, &mut scratch)?;
        counted(console, "sample", || sampler.sample(&mut rng, &mut x))?;
        black_box(&x);
        x = core::array::from_fn(|_| StandardNormal.sample(&mut rng));
        counted(console, "transport", || sampler.transport(&mut x))?;
        black_box(&x);
    }
    flow(console, &model, &mut rng, &mut scratch)?;
    match model.description().net.precision {
        Precision::Int8 => net(console, &model, &mut rng, &mut scratch),
        Precision::F32 => Ok(()),
    }
}

/// What only one kind of model does.
fn flow(
    console: &mut impl Write,
    model: &Model<'_>,
    rng: &mut Xoshiro128PlusPlus,
    scratch: &mut Scratch<SCRATCH_LEN>,
) -> Result<(), Error> {
    for _ in 0..REPEATS {
        let mut x: [f32; DIM] = core::array::from_fn(|_| StandardNormal.sample(rng));
        match model.flow() {
            Flow::RealNvp(_) => {
                let mut density = model.density_given(&CONTEXT, scratch)?;
                black_box(counted(console, "log_prob", || density.log_prob(&x))?);
            }
            Flow::VelocityField(field) => {
                let mut v = [0.0; DIM];
                counted(console, "velocity", || {
                    field.velocity(&x, 0.5, &CONTEXT, &mut v, scratch)
                })??;
                black_box(&v);
                counted(console, "euler_step", || {
                    field.euler(&mut x, NonZeroU16::MIN, &CONTEXT, scratch)
                })??;
                black_box(&x);
            }
        }
    }
    Ok(())
}

/// The first net alone, from and to its own fixed point.
fn net(
    console: &mut impl Write,
    model: &Model<'_>,
    rng: &mut Xoshiro128PlusPlus,
    scratch: &mut Scratch<SCRATCH_LEN>,
) -> Result<(), Error> {
    let inputs = model.description().layer_ends(0).next();
    let inputs = inputs.map_or(0, |(inputs, _)| inputs);
    for _ in 0..REPEATS {
        let mut q = [0; DIM + 1 + CONTEXT_DIM];
        q.iter_mut().for_each(|q| {
            let fixed = StandardNormal.sample(rng) * UNIT;
            *q = (fixed as i32).cast_unsigned();
        });
        let q = q.get(..inputs).unwrap_or_default();
        let outputs = counted(console, "net", || {
            let outputs = model.evaluate_fixed(0, q, scratch);
            outputs.map(|outputs| outputs.first().copied())
        });
        black_box(outputs??);
    }
    Ok(())
}

/// Names the bracket, then counts `f`.
fn counted<R>(
    console: &mut impl Write,
    name: &str,
    f: impl FnOnce() -> R,
) -> Result<R, fmt::Error> {
    writeln!(console, "bracket {name}")?;
    Ok(bracket(f))
}

#[derive(Debug)]
enum Error {
    Model(flowlet::Error),
    Console(fmt::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model(error) => error.fmt(f),
            Self::Console(_) => f.write_str("the console takes no text"),
        }
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
