//! Samples and log-probabilities a second on the host, of models of the default sizes.
//!
//! `cargo xtask bench host` runs it, beside JAX. Weights are random: the work does not depend on
//! them.

#![expect(clippy::unwrap_used, reason = "a bench may fail")]

use std::hint::black_box;
use std::num::NonZeroU16;
use std::time::Instant;

use flowlet::format::Kind;
use flowlet::{Activation, MAX_SCRATCH_LEN, Model, Precision, Scratch};
use flowlet_tests::encoding::encode;
use flowlet_tests::random_flow::generator;
use flowlet_tests::random_int8::{self, Size};
use flowlet_trainer::inference::{log_probs, noise, transport};
use flowlet_trainer::model_file::ModelFile;
use ndarray::Array2;
use rand::RngExt;

/// Points in a batch.
const BATCH: usize = 10_000;
/// Batches, of whose times the median counts.
const REPETITIONS: usize = 15;
/// Single samples, of whose times the median counts.
const SINGLES: usize = 2_000;
const REAL_NVP: Kind = Kind::RealNvp {
    layer_count: 8,
    scale_clip: 2.0,
};
const FLOW_MATCHING: Kind = Kind::FlowMatching {
    step_count: NonZeroU16::new(100).unwrap(),
};

fn main() {
    println!(
        "| model | precision | samples a second | log-probabilities a second | one sample, µs |"
    );
    println!("|---|---|---:|---:|---:|");
    for precision in [Precision::F32, Precision::Int8] {
        let file = file(REAL_NVP, &[64, 64], Activation::Tanh, precision);
        let model = file.model().unwrap();
        println!(
            "| RealNVP | {precision:?} | {:.0} | {:.0} | {:.1} |",
            samples_a_second(&model),
            log_probs_a_second(&model),
            1e6 * single(&model)
        );
    }
    for precision in [Precision::F32, Precision::Int8] {
        let file = file(FLOW_MATCHING, &[64, 64, 64], Activation::Elu, precision);
        let model = file.model().unwrap();
        println!(
            "| flow matching, 100 steps | {precision:?} | {:.0} | | {:.1} |",
            samples_a_second(&model),
            1e6 * single(&model)
        );
    }
}

/// A model of two dimensions with random weights.
fn file(kind: Kind, hidden: &[u16], activation: Activation, precision: Precision) -> ModelFile {
    let rng = &mut generator(1);
    let mut description = random_int8::description(2, 0, kind, hidden, activation);
    description.net.precision = precision;
    let bytes = match precision {
        Precision::Int8 => random_int8::file(&description, Size::Usual, rng),
        Precision::F32 => {
            let numbers = (0..description.word_count()).map(|_| rng.random_range(0.01f32..0.1));
            let weights: Vec<u8> = numbers.flat_map(f32::to_le_bytes).collect();
            encode(&description, &weights)
        }
    };
    ModelFile::from_bytes("random weights", &bytes)
}

fn samples_a_second(model: &Model<'_>) -> f64 {
    let noise = noise(BATCH, model.dim(), 7);
    let context = Array2::zeros((BATCH, 0));
    let seconds = median(REPETITIONS, || {
        black_box(transport(model, &noise, &context, None).unwrap());
    });
    BATCH as f64 / seconds
}

fn log_probs_a_second(model: &Model<'_>) -> f64 {
    let points = noise(BATCH, model.dim(), 7);
    let context = Array2::zeros((BATCH, 0));
    let seconds = median(REPETITIONS, || {
        black_box(log_probs(model, &points, &context).unwrap());
    });
    BATCH as f64 / seconds
}

/// Seconds of one sample on its own.
fn single(model: &Model<'_>) -> f64 {
    let mut scratch = Scratch::<MAX_SCRATCH_LEN>::new();
    let mut sampler = model.sampler::<2, _>(&mut scratch).unwrap();
    median(SINGLES, || {
        sampler.transport(black_box(&mut [0.5, -1.0]));
    })
}

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
