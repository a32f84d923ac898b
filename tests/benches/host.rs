//! Samples and log-probabilities a second on the host, of models of the default sizes, beside JAX's
//! where Python has it.
//!
//! Weights are random: the work does not depend on them. `FLOWLET_PYTHON` names the Python that has
//! jax and equinox, `python3` by default.

#![expect(clippy::unwrap_used, reason = "a bench may fail")]

use std::hint::black_box;
use std::num::NonZeroU16;
use std::process::Command;
use std::time::Instant;

use flowlet::format::Kind;
use flowlet::{Activation, MAX_SCRATCH_LEN, Model, Precision, Scratch};
use flowlet_tests::encoding::encode;
use flowlet_tests::random_flow::{Generator, generator};
use flowlet_tests::random_int8::{self, Size};
use flowlet_trainer::inference::{log_probs, noise, transport};
use flowlet_trainer::model_file::ModelFile;
use ndarray::Array2;
use rand::RngExt;
use serde::Deserialize;

/// Points in a batch.
const BATCH: usize = 10_000;
/// Batches, of whose times the median counts.
const REPETITIONS: usize = 15;
/// Single samples, of whose times the median counts.
const SINGLES: usize = 500;

const REAL_NVP: Kind = Kind::RealNvp {
    layer_count: 8,
    scale_clip: 2.0,
};
const FLOW_MATCHING: Kind = Kind::FlowMatching {
    step_count: NonZeroU16::new(100).unwrap(),
};

/// What a model does in a second, and the seconds of one sample.
#[derive(Clone, Copy, Deserialize)]
struct Speed {
    samples: f64,
    log_probs: Option<f64>,
    single: f64,
}

#[derive(Deserialize)]
struct Jax {
    version: String,
    real_nvp: Speed,
    flow_matching: Speed,
}

fn main() {
    let f32 = [real_nvp(Precision::F32), flow_matching(Precision::F32)];
    let int8 = [real_nvp(Precision::Int8), flow_matching(Precision::Int8)];
    let jax = jax();

    println!(
        "Batches of {BATCH} points, {} threads, median of {REPETITIONS} runs.\n",
        std::thread::available_parallelism().unwrap()
    );
    println!("| model | by | samples a second | log-probabilities a second | one sample |");
    println!("|---|---|---:|---:|---:|");
    let models = [
        "RealNVP 1-64-64-2, 8 layers",
        "flow matching 3-64-64-64-2, 100 steps",
    ];
    for (i, model) in models.iter().enumerate() {
        print_row(model, "flowlet, f32", f32[i]);
        print_row(model, "flowlet, int8", int8[i]);
        if let Some(jax) = &jax {
            let theirs = [jax.real_nvp, jax.flow_matching][i];
            print_row(model, &format!("JAX {}, f32", jax.version), theirs);
            print_ratios(model, int8[i], theirs);
        }
    }
    if jax.is_none() {
        println!("\nNo Python with jax and equinox was found: FLOWLET_PYTHON names one.");
    }
}

fn print_row(model: &str, by: &str, speed: Speed) {
    let log_probs = speed.log_probs.map_or(String::new(), |n| format!("{n:.0}"));
    println!(
        "| {model} | {by} | {:.0} | {log_probs} | {:.1} µs |",
        speed.samples,
        1e6 * speed.single
    );
}

fn print_ratios(model: &str, ours: Speed, theirs: Speed) {
    let log_probs = ours.log_probs.zip(theirs.log_probs);
    let log_probs = log_probs.map_or(String::new(), |(a, b)| format!("{:.2} ×", a / b));
    println!(
        "| {model} | int8 is faster than JAX | {:.2} × | {log_probs} | {:.1} × |",
        ours.samples / theirs.samples,
        theirs.single / ours.single
    );
}

/// What JAX does with the same models, where there is one.
fn jax() -> Option<Jax> {
    let python = std::env::var_os("FLOWLET_PYTHON").unwrap_or_else(|| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/jax/host.py");
    let output = Command::new(python).arg(script).output().ok()?;
    output
        .status
        .success()
        .then(|| serde_json::from_slice(&output.stdout).unwrap())
}

fn real_nvp(precision: Precision) -> Speed {
    let file = file(REAL_NVP, &[64, 64], Activation::Tanh, precision);
    let model = file.model().unwrap();
    Speed {
        log_probs: Some(log_probs_a_second(&model)),
        ..speed(&model)
    }
}

fn flow_matching(precision: Precision) -> Speed {
    let file = file(FLOW_MATCHING, &[64, 64, 64], Activation::Elu, precision);
    speed(&file.model().unwrap())
}

fn speed(model: &Model<'_>) -> Speed {
    let noise = noise(BATCH, 2, 7);
    let context = Array2::zeros((BATCH, 0));
    let seconds = median(REPETITIONS, || {
        black_box(transport(model, &noise, &context, None).unwrap());
    });
    let mut scratch = Scratch::<MAX_SCRATCH_LEN>::new();
    let mut sampler = model.sampler::<2, _>(&mut scratch).unwrap();
    Speed {
        samples: BATCH as f64 / seconds,
        log_probs: None,
        single: median(SINGLES, || {
            sampler.transport(black_box(&mut [0.5, -1.0]));
        }),
    }
}

fn log_probs_a_second(model: &Model<'_>) -> f64 {
    let points = noise(BATCH, 2, 7);
    let context = Array2::zeros((BATCH, 0));
    let seconds = median(REPETITIONS, || {
        black_box(log_probs(model, &points, &context).unwrap());
    });
    BATCH as f64 / seconds
}

/// The median of the seconds that `work` takes, after a first time that does not count.
fn median(repetitions: usize, mut work: impl FnMut()) -> f64 {
    work();
    let mut seconds: Vec<f64> = (0..repetitions)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[repetitions / 2]
}

/// A model of two dimensions with random weights.
fn file(kind: Kind, hidden: &[u16], activation: Activation, precision: Precision) -> ModelFile {
    let rng = &mut generator(1);
    let mut description = random_int8::description(2, 0, kind, hidden, activation);
    description.net.precision = precision;
    let bytes = match precision {
        Precision::Int8 => random_int8::file(&description, Size::Usual, rng),
        Precision::F32 => encode(&description, &f32_weights(description.word_count(), rng)),
    };
    ModelFile::from_bytes("random weights", &bytes)
}

/// Means 0 and standard deviations 1, then small weights.
fn f32_weights(count: usize, rng: &mut Generator) -> Vec<u8> {
    let weights = (4..count).map(|_| rng.random_range(-0.2f32..0.2));
    let numbers = [0.0, 0.0, 1.0, 1.0].into_iter().chain(weights);
    numbers.flat_map(f32::to_le_bytes).collect()
}
