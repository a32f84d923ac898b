//! Files that something has happened to: a model or an error, never a panic.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use flowlet::{Flow, MAX_SCRATCH_LEN, Model, Scratch};
use flowlet_tests::encoding::{encode, repair, weights_of};
use flowlet_tests::random_flow::{Generator, generator};
use flowlet_tests::tiny;
use flowlet_trainer::model_file::ModelFile;
use rand::{Rng, RngExt};

/// Random files that a test tries.
const TRIALS: usize = 100_000;

const FLOAT: [&[u8]; 2] = [&tiny::REAL_NVP, &tiny::FLOW_MATCHING];

/// Three small models.
fn files() -> [Vec<u8>; 3] {
    let integers = encode(&tiny::int8_description(), &tiny::INT8_WEIGHTS);
    [FLOAT[0].to_vec(), FLOAT[1].to_vec(), integers]
}

/// Whether the bytes are a model; one that they are must be the only encoding of itself, and run.
fn loads(bytes: &[u8]) -> bool {
    let file = ModelFile::from_bytes("", bytes);
    let Ok(model) = Model::from_bytes(file.bytes()) else {
        return false;
    };
    let description = model.description();
    let again = encode(description, weights_of(bytes, description));
    assert_eq!(again, bytes, "two encodings of one model");
    run(&model);
    true
}

/// Everything that can be done with a model.
fn run(model: &Model<'_>) {
    let mut scratch = Scratch::<MAX_SCRATCH_LEN>::new();
    let mut x = vec![0.5; model.dim()];
    let context = vec![-0.5; model.context_dim()];
    assert_eq!(model.mean().len(), model.dim() + model.context_dim());
    assert_eq!(model.std().len(), model.mean().len());
    match model.flow() {
        Flow::RealNvp(flow) => {
            flow.log_prob(&x, &context, &mut scratch).unwrap();
            flow.forward_and_log_det(&mut x, &context, &mut scratch)
                .unwrap();
            flow.inverse_and_log_det(&mut x, &context, &mut scratch)
                .unwrap();
        }
        Flow::VelocityField(field) => {
            let n = field.step_count();
            field.euler(&mut x, n, &context, &mut scratch).unwrap();
        }
    }
}

/// How many of the files are models.
fn count_models(files: impl Iterator<Item = Vec<u8>>) -> usize {
    files.filter(|bytes| loads(bytes)).count()
}

fn repaired(mut bytes: Vec<u8>) -> Vec<u8> {
    repair(&mut bytes);
    bytes
}

fn prefixes(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len()).map(|length| bytes[..length].to_vec())
}

fn single_bit_flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..8 * bytes.len()).map(|bit| {
        let mut bytes = bytes.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    })
}

#[test]
fn no_prefix_is_a_model() {
    for bytes in &files() {
        assert!(loads(bytes));
        assert_eq!(count_models(prefixes(bytes)), 0);
        assert_eq!(count_models(prefixes(bytes).map(repaired)), 0);
    }
}

#[test]
fn no_single_bit_flip_is_a_model() {
    for bytes in &files() {
        assert_eq!(count_models(single_bit_flips(bytes)), 0);
    }
}

#[test]
fn a_bit_flip_with_a_checksum_to_match_is_a_model_or_an_error() {
    for bytes in &files() {
        let models = count_models(single_bit_flips(bytes).map(repaired));
        // At least the 64 flips of length and checksum are repaired; magic and version never are.
        assert!(
            (64..8 * bytes.len() - 64).contains(&models),
            "{models} models"
        );
    }
}

#[test]
fn two_flipped_bits_with_a_checksum_to_match_are_a_model_or_an_error() {
    // As many pairs again for the integers would take the tests too long.
    for bytes in FLOAT {
        let twice = single_bit_flips(bytes).flat_map(|bytes| {
            let flips: Vec<_> = single_bit_flips(&bytes).collect();
            flips.into_iter().map(repaired)
        });
        assert!(count_models(twice) > 0);
    }
}

/// Sets, inserts, removes or doubles something at random.
fn mutate(bytes: &mut Vec<u8>, rng: &mut Generator) {
    let at = rng.random_range(8..bytes.len());
    match rng.random_range(0..4) {
        0 => bytes[at] = rng.next_u32() as u8,
        1 => bytes.insert(at, [0, 1, 0x7F, 0x80, 0xFF][rng.random_range(0..5)]),
        2 if bytes.len() > 17 => drop(bytes.remove(at)),
        _ => bytes.extend_from_within(at..),
    }
}

#[test]
fn a_mutated_file_is_a_model_or_an_error() {
    let rng = &mut generator(1);
    let files = files();
    let mutants = (0..TRIALS).map(|i| {
        let mut bytes = files[i % files.len()].clone();
        for _ in 0..rng.random_range(1..5) {
            mutate(&mut bytes, rng);
        }
        repaired(bytes)
    });
    let models = count_models(mutants);
    assert!((100..TRIALS / 2).contains(&models), "{models} models");
}

#[test]
fn random_bytes_after_a_header_are_a_model_or_an_error() {
    let rng = &mut generator(2);
    let files = (0..TRIALS).map(|_| {
        let mut bytes = tiny::REAL_NVP[..12].to_vec();
        // Small numbers, as most of a description is made of.
        let limit = [256, 8][rng.random_range(0..2)];
        let length = rng.random_range(0..100);
        bytes.extend((0..length).map(|_| rng.random_range(0..limit) as u8));
        repaired(bytes)
    });
    assert!(count_models(files) < TRIALS / 10);
}
