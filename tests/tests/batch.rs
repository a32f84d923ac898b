//! Batches: the bits of one point after the other, whatever the net and the number of points.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::num::NonZeroU16;

use flowlet::format::Description;
use flowlet::{
    Activation, BatchScratch, Error, Kind, MAX_SCRATCH_LEN, Model, Precision, Scratch,
    include_model,
};
use flowlet_tests::random_flow::{Generator, generator, random_latent, real_nvps, velocity_fields};
use flowlet_tests::random_int8::{self, Size};
use flowlet_trainer::export::export;
use flowlet_trainer::model_file::ModelFile;
use rand::RngExt;

use Activation::{Elu, Tanh};

/// Points that the runtime works on at a time.
const TILE: usize = 64;
/// Points in a batch: none, one, about a group of 16 and about a tile.
const COUNTS: [usize; 9] = [0, 1, 15, 17, TILE - 1, TILE, TILE + 1, 2 * TILE, 150];
/// Euler steps, however many a model asks for.
const STEP_COUNT: NonZeroU16 = NonZeroU16::new(3).unwrap();

#[test]
fn a_batch_of_an_integer_real_nvp_has_the_bits_of_single_points() {
    for (i, file) in integers(Kind::RealNvp {
        layer_count: 3,
        scale_clip: 2.0,
    })
    .enumerate()
    {
        check_real_nvp(&file, COUNTS[i % COUNTS.len()], i as u64);
    }
}

#[test]
fn a_batch_of_an_integer_velocity_field_has_the_bits_of_single_points() {
    let kind = Kind::FlowMatching {
        step_count: STEP_COUNT,
    };
    for (i, file) in integers(kind).enumerate() {
        check_velocity_field(&file, COUNTS[i % COUNTS.len()], i as u64);
    }
}

#[test]
fn a_batch_of_an_f32_flow_has_the_bits_of_single_points() {
    for (i, flow) in real_nvps().iter().enumerate() {
        let file = export(flow, Precision::F32).unwrap();
        check_real_nvp(&file, COUNTS[i % COUNTS.len()].min(TILE + 1), i as u64);
    }
    for (i, flow) in velocity_fields().iter().enumerate() {
        let file = export(flow, Precision::F32).unwrap();
        check_velocity_field(&file, COUNTS[i % COUNTS.len()].min(TILE + 1), i as u64);
    }
}

#[test]
fn a_batch_has_whole_points_each_with_its_context() {
    let wrong = |expected, found| Err(Error::Batch { expected, found });
    let model = Model::from_bytes(include_model!("../../runtime/src/moons.flow")).unwrap();
    let flow = model.real_nvp().unwrap();
    let mut scratch = BatchScratch::new();
    let mut inverse =
        |points: &mut [f32], contexts: &[f32]| flow.inverse_batch(points, contexts, &mut scratch);
    assert_eq!(inverse(&mut [0.0; 4], &[]), Ok(()));
    assert_eq!(inverse(&mut [0.0; 3], &[]), wrong(4, 3));
    assert_eq!(inverse(&mut [0.0; 4], &[0.0; 2]), wrong(0, 2));
    let mut log_prob = |points: &[f32], log_probs: &mut [f32]| {
        flow.log_prob_batch(points, &[], log_probs, &mut scratch)
    };
    assert_eq!(log_prob(&[0.0; 4], &mut [0.0; 2]), Ok(()));
    assert_eq!(log_prob(&[0.0; 4], &mut [0.0; 3]), wrong(2, 3));
    assert_eq!(log_prob(&[0.0; 4], &mut [0.0; 1]), wrong(2, 1));

    let flow = &real_nvps()[5];
    assert_eq!((flow.dim, flow.context_dim), (2, 1));
    let file = export(flow, Precision::F32).unwrap();
    let model = file.model().unwrap();
    let flow = model.real_nvp().unwrap();
    let mut inverse = |contexts: &[f32]| flow.inverse_batch(&mut [0.0; 4], contexts, &mut scratch);
    assert_eq!(inverse(&[0.0; 2]), Ok(()));
    assert_eq!(inverse(&[0.0; 1]), wrong(2, 1));
}

/// Nets of many widths, multiples of four and others, small and at their bounds.
fn integers(kind: Kind) -> impl Iterator<Item = ModelFile> {
    let shapes: [(u8, u8, &[u16]); 11] = [
        (1, 0, &[]),
        (1, 32, &[1]),
        (2, 0, &[64, 64]),
        (2, 0, &[1, 2, 3, 4, 5, 6, 7]),
        (2, 1, &[30, 33]),
        (3, 0, &[8]),
        (5, 2, &[17, 129]),
        (7, 5, &[]),
        (16, 0, &[255, 254, 253]),
        (63, 31, &[12]),
        (64, 32, &[256, 256]),
    ];
    let rng = &mut generator(11);
    let mut files = Vec::new();
    for (dim, context_dim, hidden) in shapes {
        for activation in [Tanh, Elu] {
            for size in [Size::Usual, Size::Extreme] {
                if !(hidden.is_empty() && activation == Elu) {
                    let description = Description {
                        whitened: dim % 2 == 1,
                        calibrated: false,
                        ..random_int8::description(dim, context_dim, kind, hidden, activation)
                    };
                    let bytes = random_int8::file(&description, size, rng);
                    files.push(ModelFile::from_bytes("integers", &bytes));
                }
            }
        }
    }
    files.into_iter()
}

fn check_real_nvp(file: &ModelFile, count: usize, seed: u64) {
    let model = file.model().unwrap();
    let flow = model.real_nvp().unwrap();
    let rng = &mut generator(seed);
    let points = numbers(count * model.dim(), rng);
    let contexts = numbers(count * model.context_dim(), rng);
    let mut scratch = Scratch::<MAX_SCRATCH_LEN>::new();
    let mut batch_scratch = BatchScratch::new();

    let mut batch = points.clone();
    flow.inverse_batch(&mut batch, &contexts, &mut batch_scratch)
        .unwrap();
    let mut single = points.clone();
    for (x, context) in rows(&mut single, &contexts, &model) {
        flow.inverse(x, context, &mut scratch).unwrap();
    }
    assert_eq!(bits(&batch), bits(&single), "{:?}", model.description());

    let mut log_probs = vec![0.0; count];
    flow.log_prob_batch(&points, &contexts, &mut log_probs, &mut batch_scratch)
        .unwrap();
    let single: Vec<f32> = rows(&mut points.clone(), &contexts, &model)
        .map(|(x, context)| flow.log_prob(x, context, &mut scratch).unwrap())
        .collect();
    assert_eq!(bits(&log_probs), bits(&single), "{:?}", model.description());
}

fn check_velocity_field(file: &ModelFile, count: usize, seed: u64) {
    let model = file.model().unwrap();
    let field = model.velocity_field().unwrap();
    let rng = &mut generator(seed);
    let mut batch = numbers(count * model.dim(), rng);
    let contexts = numbers(count * model.context_dim(), rng);
    let mut single = batch.clone();
    let mut scratch = Scratch::<MAX_SCRATCH_LEN>::new();
    field
        .euler_batch(&mut batch, STEP_COUNT, &contexts, &mut BatchScratch::new())
        .unwrap();
    for (x, context) in rows(&mut single, &contexts, &model) {
        field.euler(x, STEP_COUNT, context, &mut scratch).unwrap();
    }
    assert_eq!(bits(&batch), bits(&single), "{:?}", model.description());
}

/// Points as rows, each with its context.
fn rows<'a>(
    points: &'a mut [f32],
    contexts: &'a [f32],
    model: &Model<'_>,
) -> impl Iterator<Item = (&'a mut [f32], &'a [f32])> {
    let context_dim = model.context_dim();
    let points = points.chunks_exact_mut(model.dim()).enumerate();
    points.map(move |(i, x)| (x, &contexts[i * context_dim..(i + 1) * context_dim]))
}

/// Normal numbers, and now and then one that is far out or not a number.
fn numbers(n: usize, rng: &mut Generator) -> Vec<f32> {
    let mut numbers = random_latent(n, rng);
    for x in &mut numbers {
        *x = match rng.random_range(0..500) {
            0 => f32::NAN,
            1 => f32::INFINITY,
            2 => -1e30,
            3 => 200.0,
            4 => -0.0,
            _ => *x,
        };
    }
    numbers
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|x| x.to_bits()).collect()
}
