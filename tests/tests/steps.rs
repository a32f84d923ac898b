//! Samples in steps: the bits of one call, a net a step.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::num::NonZeroU16;

use flowlet::{Error, Flow, MAX_SCRATCH_LEN, Model, Precision, Scratch, StandardNormal, Steps};
use flowlet_tests::golden;
use flowlet_tests::random_flow::{
    generator, random_context, random_latent, real_nvps, velocity_fields,
};
use flowlet_tests::workload::nets;
use flowlet_trainer::export::export;

/// Euler steps, where a flow takes any.
const STEP_COUNTS: [u16; 4] = [1, 2, 7, 100];

/// Advances to the end, and tells how many steps that took.
fn finish(mut steps: Steps<'_>) -> u16 {
    let expected = steps.remaining();
    let mut taken = 1;
    while steps.advance() {
        assert_eq!(steps.remaining(), expected - taken);
        taken += 1;
    }
    assert_eq!(steps.remaining(), 0);
    assert!(!steps.advance(), "there is no step after the last");
    taken
}

/// In one call.
fn transport(
    model: &Model<'_>,
    x: &mut [f32],
    step_count: NonZeroU16,
    context: &[f32],
) -> Result<u16, Error> {
    let mut scratch = Scratch::<MAX_SCRATCH_LEN>::new();
    match model.flow() {
        Flow::RealNvp(flow) => {
            flow.inverse(x, context, &mut scratch)?;
            Ok(model.description().net_count() as u16)
        }
        Flow::VelocityField(field) => {
            field.euler(x, step_count, context, &mut scratch)?;
            Ok(step_count.get())
        }
    }
}

fn assert_same_bits(model: &Model<'_>, noise: &[f32], context: &[f32], name: &str) {
    for n in STEP_COUNTS {
        let step_count = NonZeroU16::new(n).unwrap();
        let mut at_once = noise.to_vec();
        let expected = transport(model, &mut at_once, step_count, context).unwrap();

        let mut x = noise.to_vec();
        let mut scratch = Scratch::<MAX_SCRATCH_LEN>::new();
        let steps = model.steps(&mut x, context, &mut scratch).unwrap();
        let taken = finish(steps.with_step_count(step_count));
        assert_eq!(taken, expected, "steps of {name}");
        assert_eq!(bits(&x), bits(&at_once), "{name} in {taken} steps");
    }
}

#[test]
fn steps_of_an_f32_flow_have_the_bits_of_one_call() {
    let mut flows = real_nvps();
    flows.extend(velocity_fields());
    flows.extend(golden::FLOW_MATCHING.map(golden::flow));
    for (i, flow) in flows.iter().enumerate() {
        let file = export(flow, Precision::F32).unwrap();
        let rng = &mut generator(i as u64);
        let context = random_context(flow, rng);
        let noise = random_latent(flow.dim, rng);
        assert_same_bits(&file.model().unwrap(), &noise, &context, &flow.name);
    }
}

#[test]
fn steps_of_an_integer_flow_have_the_bits_of_one_call() {
    for workload in nets() {
        let file = workload.file();
        let model = file.model().unwrap();
        let noise = random_latent(model.dim(), &mut generator(3));
        let context = vec![0.5; model.context_dim()];
        assert_same_bits(&model, &noise, &context, model.name());
    }
}

#[test]
fn a_sampler_takes_its_own_number_of_steps() {
    let file = export(&golden::flow("flow_matching_2d"), Precision::F32).unwrap();
    let model = file.model().unwrap();
    let own = model.velocity_field().unwrap().step_count();
    let mut scratch = Scratch::<MAX_SCRATCH_LEN>::new();
    let mut sampler = model.sampler::<2, _>(&mut scratch).unwrap();
    let rng = &mut generator(4);
    for step_count in [own, NonZeroU16::new(3).unwrap()] {
        sampler.set_step_count(step_count);
        let noise = [0.0; 2].map(|_: f32| StandardNormal.sample(rng));
        let (mut x, mut at_once) = (noise, noise);
        assert_eq!(finish(sampler.steps(&mut x)), step_count.get());
        sampler.transport(&mut at_once);
        assert_eq!(bits(&x), bits(&at_once));
    }
}

#[test]
fn sizes_are_checked_before_the_first_step() {
    // 3 dimensions, 2 context numbers, 19 words.
    let file = export(&golden::flow("real_nvp_3d_context"), Precision::F32).unwrap();
    let model = file.model().unwrap();
    let error = |dim: usize, context_dim: usize| {
        let mut scratch = Scratch::<19>::new();
        let (mut x, context) = (vec![0.0; dim], vec![0.0; context_dim]);
        model.steps(&mut x, &context, &mut scratch).err()
    };
    let (expected, found) = (3, 4);
    assert_eq!(error(3, 2), None);
    assert_eq!(error(4, 2), Some(Error::Dim { expected, found }));
    let (expected, found) = (2, 0);
    assert_eq!(error(3, 0), Some(Error::Context { expected, found }));
    let mut short = Scratch::<18>::new();
    let steps = model.steps(&mut [0.0; 3], &[0.0; 2], &mut short).err();
    let (expected, found) = (19, 18);
    assert_eq!(steps, Some(Error::Scratch { expected, found }));
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|x| x.to_bits()).collect()
}
