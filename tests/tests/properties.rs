//! What must hold for every flow, over one table of flows: random ones of many shapes, up to each
//! limit of the format, and the golden ones.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::num::NonZeroU16;

use flowlet::{MAX_SCRATCH_LEN, Model, Precision, RealNvp};
use flowlet_tests::golden;
use flowlet_tests::jacobian::numeric_log_det;
use flowlet_tests::random_flow::{
    Generator, generator, random_context, random_latent, random_point, real_nvps, velocity_fields,
};
use flowlet_tests::reference::{self, widened};
use flowlet_tests::tolerance::Tolerance;
use flowlet_trainer::export::export;
use flowlet_trainer::flow::{Flow, FlowKind};

/// `f32` against the formulas in `f64`: flows have up to 32 layers and sums up to 256 terms, and each
/// layer passes on what those before it have rounded. Measured: 2e-5.
const F32: Tolerance = Tolerance::both(4e-5);

/// Central differences in `f64` against the formulas in `f64`. Measured: 8e-8.
const NUMERIC: f64 = 1e-6;

/// Sums of 64 squares or logarithms in `f32` against those in `f64`.
const SUM: Tolerance = Tolerance::both(5e-6);

type Scratch = flowlet::Scratch<MAX_SCRATCH_LEN>;

/// Points that each flow is tried at.
const POINTS: usize = 8;

fn all_real_nvps() -> Vec<Flow> {
    let mut flows = real_nvps();
    flows.extend(golden::REAL_NVP.map(golden::flow));
    flows
}

fn all_velocity_fields() -> Vec<Flow> {
    let mut flows = velocity_fields();
    flows.extend(golden::FLOW_MATCHING.map(golden::flow));
    flows
}

fn for_each_model(flows: &[Flow], mut check: impl FnMut(&Flow, &Model<'_>, &mut Generator)) {
    for (i, flow) in flows.iter().enumerate() {
        let file = export(flow, Precision::F32).unwrap();
        check(
            flow,
            &file.model().unwrap(),
            &mut generator(1000 + i as u64),
        );
    }
}

/// Calls `check` with every RealNVP, some points in the data's units and a context for each.
fn for_each_point(mut check: impl FnMut(&Flow, RealNvp<'_>, &[f32], &[f32])) {
    for_each_model(&all_real_nvps(), |flow, model, rng| {
        for _ in 0..POINTS {
            let x = random_point(flow, rng);
            let context = random_context(flow, rng);
            check(flow, model.real_nvp().unwrap(), &x, &context);
        }
    });
}

/// Calls `check` with every RealNVP, some latents and a context for each.
fn for_each_latent(mut check: impl FnMut(&Flow, RealNvp<'_>, &[f32], &[f32])) {
    for_each_model(&all_real_nvps(), |flow, model, rng| {
        for _ in 0..POINTS {
            let z = random_latent(flow.dim, rng);
            let context = random_context(flow, rng);
            check(flow, model.real_nvp().unwrap(), &z, &context);
        }
    });
}

#[test]
fn forward_follows_the_formulas() {
    for_each_point(|flow, nvp, x, context| {
        let mut z = x.to_vec();
        let log_det = nvp.forward_and_log_det(&mut z, context, &mut Scratch::new());
        let (expected_z, expected) = reference::forward(flow, &widened(x), &widened(context));
        F32.assert_near(&flow.name, &z, &expected_z);
        F32.assert_near(&flow.name, &[log_det.unwrap()], &[expected]);
    });
}

#[test]
fn inverse_follows_the_formulas() {
    for_each_latent(|flow, nvp, z, context| {
        let mut x = z.to_vec();
        let log_det = nvp.inverse_and_log_det(&mut x, context, &mut Scratch::new());
        let (expected_x, expected) = reference::inverse(flow, &widened(z), &widened(context));
        F32.assert_near(&flow.name, &x, &expected_x);
        F32.assert_near(&flow.name, &[log_det.unwrap()], &[expected]);
    });
}

#[test]
fn velocity_follows_the_formula() {
    for_each_model(&all_velocity_fields(), |flow, model, rng| {
        let field = model.velocity_field().unwrap();
        for t in [0.0, 0.25, 0.7, 1.0] {
            let x = random_latent(flow.dim, rng);
            let context = random_context(flow, rng);
            let mut v = vec![f32::NAN; flow.dim];
            field
                .velocity(&x, t, &context, &mut v, &mut Scratch::new())
                .unwrap();
            let expected = reference::velocity(flow, &widened(&x), t.into(), &widened(&context));
            F32.assert_near(&flow.name, &v, &expected);
        }
    });
}

#[test]
fn euler_follows_the_formula() {
    for_each_model(&all_velocity_fields(), |flow, model, rng| {
        let field = model.velocity_field().unwrap();
        for n in [1, 9, 50] {
            let x_0 = random_latent(flow.dim, rng);
            let context = random_context(flow, rng);
            let mut x = x_0.clone();
            let step_count = NonZeroU16::new(n).unwrap();
            field
                .euler(&mut x, step_count, &context, &mut Scratch::new())
                .unwrap();
            let expected = reference::euler(flow, &widened(&x_0), n, &widened(&context));
            F32.assert_near(&flow.name, &x, &expected);
        }
    });
}

#[test]
fn inverse_undoes_forward() {
    for_each_point(|flow, nvp, x, context| {
        let mut there_and_back = x.to_vec();
        let scratch = &mut Scratch::new();
        nvp.forward(&mut there_and_back, context, scratch).unwrap();
        nvp.inverse(&mut there_and_back, context, scratch).unwrap();
        F32.assert_near(&flow.name, &there_and_back, &widened(x));
    });
}

#[test]
fn forward_undoes_inverse() {
    for_each_latent(|flow, nvp, z, context| {
        let mut there_and_back = z.to_vec();
        let scratch = &mut Scratch::new();
        nvp.inverse(&mut there_and_back, context, scratch).unwrap();
        nvp.forward(&mut there_and_back, context, scratch).unwrap();
        F32.assert_near(&flow.name, &there_and_back, &widened(z));
    });
}

#[test]
fn log_dets_of_the_two_directions_are_opposite() {
    for_each_point(|flow, nvp, x, context| {
        let mut point = x.to_vec();
        let scratch = &mut Scratch::new();
        let there = nvp.forward_and_log_det(&mut point, context, scratch);
        let back = nvp.inverse_and_log_det(&mut point, context, scratch);
        F32.assert_near(&flow.name, &[there.unwrap()], &[-f64::from(back.unwrap())]);
    });
}

#[test]
fn log_det_is_that_of_the_numeric_jacobian() {
    for_each_model(&all_real_nvps(), |flow, model, rng| {
        let nvp = model.real_nvp().unwrap();
        let x = random_point(flow, rng);
        let context = random_context(flow, rng);
        let wide = widened(&context);
        let forward = |x: &[f64]| reference::forward(flow, x, &wide).0;
        let numeric = numeric_log_det(forward, &widened(&x));
        let mut z = x.clone();
        let log_det = nvp.forward_and_log_det(&mut z, &context, &mut Scratch::new());
        F32.assert_near(&flow.name, &[log_det.unwrap()], &[numeric]);
        let exact = reference::forward(flow, &widened(&x), &wide).1;
        assert!(
            (exact - numeric).abs() <= NUMERIC * (1.0 + exact.abs()),
            "{}: {exact} by the formula, {numeric} by differences",
            flow.name
        );
    });
}

#[test]
fn inverse_log_det_is_that_of_the_numeric_jacobian() {
    for_each_model(&all_real_nvps(), |flow, model, rng| {
        let nvp = model.real_nvp().unwrap();
        let z = random_latent(flow.dim, rng);
        let context = random_context(flow, rng);
        let wide = widened(&context);
        let inverse = |z: &[f64]| reference::inverse(flow, z, &wide).0;
        let numeric = numeric_log_det(inverse, &widened(&z));
        let mut x = z.clone();
        let log_det = nvp.inverse_and_log_det(&mut x, &context, &mut Scratch::new());
        F32.assert_near(&flow.name, &[log_det.unwrap()], &[numeric]);
    });
}

#[test]
fn log_det_costs_no_bit_of_the_point() {
    for_each_point(|flow, nvp, x, context| {
        let scratch = &mut Scratch::new();
        let (mut plain, mut twin) = (x.to_vec(), x.to_vec());
        nvp.forward(&mut plain, context, scratch).unwrap();
        nvp.forward_and_log_det(&mut twin, context, scratch)
            .unwrap();
        assert_eq!(bits(&plain), bits(&twin), "forward of {}", flow.name);
        nvp.inverse(&mut plain, context, scratch).unwrap();
        nvp.inverse_and_log_det(&mut twin, context, scratch)
            .unwrap();
        assert_eq!(bits(&plain), bits(&twin), "inverse of {}", flow.name);
    });
}

#[test]
fn log_prob_is_the_latents_and_the_log_det() {
    for_each_point(|flow, nvp, x, context| {
        let scratch = &mut Scratch::new();
        let mut z = x.to_vec();
        let log_det = nvp.forward_and_log_det(&mut z, context, scratch).unwrap();
        let expected = reference::log_normal(&widened(&z)) + f64::from(log_det);
        let log_prob = nvp.log_prob(x, context, scratch).unwrap();
        SUM.assert_near(&flow.name, &[log_prob], &[expected]);
    });
}

/// Twice the unit gives the same latent, and a density that is 2 per dimension smaller; the unit of the
/// context does not count.
#[test]
fn standardization_is_counted_in_log_det() {
    let double = |numbers: &[f32]| numbers.iter().map(|x| 2.0 * x).collect::<Vec<f32>>();
    for_each_point(|flow, nvp, x, context| {
        let other = Flow {
            mean: double(&flow.mean),
            std: double(&flow.std),
            ..flow.clone()
        };
        let file = export(&other, Precision::F32).unwrap();
        let model = file.model().unwrap();
        let other = model.real_nvp().unwrap();
        let scratch = &mut Scratch::new();
        let (mut z, mut other_z) = (x.to_vec(), double(x));
        let log_det = nvp.forward_and_log_det(&mut z, context, scratch).unwrap();
        let found = other.forward_and_log_det(&mut other_z, &double(context), scratch);
        assert_eq!(bits(&z), bits(&other_z), "{}", flow.name);
        let expected = f64::from(log_det) - flow.dim as f64 * 2.0f64.ln();
        SUM.assert_near(&flow.name, &[found.unwrap()], &[expected]);
    });
}

/// Else no test over the table would tell a clipped scale from a free one.
#[test]
fn the_table_holds_clipped_and_free_scales() {
    let (mut clipped, mut free) = (0, 0);
    for_each_point(|flow, _, x, context| {
        let unclipped = Flow {
            kind: FlowKind::RealNvp { scale_clip: 1e6 },
            ..flow.clone()
        };
        let (x, context) = (widened(x), widened(context));
        let equal =
            reference::forward(flow, &x, &context) == reference::forward(&unclipped, &x, &context);
        *(if equal { &mut free } else { &mut clipped }) += 1;
    });
    let enough = 4 * POINTS;
    assert!(
        clipped >= enough && free >= enough,
        "{clipped} points meet the clip, {free} do not"
    );
}

/// Firmware's way in and the slices' way in, with the same noise.
fn assert_one_result<const DIM: usize>(flow: &Flow, model: &Model<'_>, rng: &mut Generator) {
    let context = random_context(flow, rng);
    let noise: [f32; DIM] = random_latent(DIM, rng).try_into().unwrap();
    let (mut x, mut by_slice) = (noise, noise);
    let (scratch, other_scratch) = (&mut Scratch::new(), &mut Scratch::new());
    let mut sampler = model.sampler_given::<DIM, _>(&context, scratch).unwrap();
    sampler.transport(&mut x);
    match model.flow() {
        flowlet::Flow::RealNvp(nvp) => nvp.inverse(&mut by_slice, &context, other_scratch),
        flowlet::Flow::VelocityField(field) => {
            let n = field.step_count();
            field.euler(&mut by_slice, n, &context, other_scratch)
        }
    }
    .unwrap();
    assert_eq!(bits(&x), bits(&by_slice), "samples of {}", flow.name);

    let (mut sampling, mut drawing) = (generator(5), generator(5));
    let mut x_0: [f32; DIM] = random_latent(DIM, &mut drawing).try_into().unwrap();
    sampler.transport(&mut x_0);
    sampler.sample(&mut sampling, &mut x);
    assert_eq!(bits(&x), bits(&x_0), "draws of {}", flow.name);

    if let Ok(nvp) = model.real_nvp() {
        let mut density = model.density_given::<DIM, _>(&context, scratch).unwrap();
        let by_slice = nvp.log_prob(&x, &context, other_scratch).unwrap();
        let log_prob = density.log_prob(&x);
        assert_eq!(
            log_prob.to_bits(),
            by_slice.to_bits(),
            "log_prob of {}",
            flow.name
        );
    }
}

#[test]
fn sampler_and_density_give_the_bits_of_the_flows() {
    let flows = [all_real_nvps(), all_velocity_fields()].concat();
    for_each_model(&flows, |flow, model, rng| match flow.dim {
        1 => assert_one_result::<1>(flow, model, rng),
        2 => assert_one_result::<2>(flow, model, rng),
        3 => assert_one_result::<3>(flow, model, rng),
        4 => assert_one_result::<4>(flow, model, rng),
        5 => assert_one_result::<5>(flow, model, rng),
        64 => assert_one_result::<64>(flow, model, rng),
        dim => unreachable!("no flow of the table has {dim} dimensions"),
    });
}

/// Not finite, with other bits than `f32::NAN` has where they are NaN.
const NOT_FINITE: [f32; 4] = [
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::from_bits(0xFFC0_0001),
    f32::from_bits(0x7F80_1234),
];

fn assert_shown(what: &str, values: &[f32]) {
    assert!(values.iter().any(|x| !x.is_finite()), "{what}: {values:?}");
    let nans = values.iter().filter(|x| x.is_nan());
    let bits: Vec<u32> = nans.map(|x| x.to_bits()).collect();
    assert!(
        bits.iter().all(|&x| x == f32::NAN.to_bits()),
        "{what}: {bits:x?}"
    );
}

#[test]
fn what_is_not_finite_is_shown_and_has_one_nan() {
    for_each_point(|flow, nvp, x, context| {
        for (i, wrong) in NOT_FINITE.into_iter().enumerate() {
            let scratch = &mut Scratch::new();
            let mut x = x.to_vec();
            x[i % flow.dim] = wrong;
            let log_prob = nvp.log_prob(&x, context, scratch).unwrap();
            assert_shown(&flow.name, &[log_prob]);
            let mut z = x.clone();
            nvp.forward(&mut z, context, scratch).unwrap();
            assert_shown(&flow.name, &z);
            z.copy_from_slice(&x);
            nvp.forward_and_log_det(&mut z, context, scratch).unwrap();
            assert_shown(&flow.name, &z);
            z.copy_from_slice(&x);
            nvp.inverse(&mut z, context, scratch).unwrap();
            assert_shown(&flow.name, &z);
        }
    });
    for_each_model(&all_velocity_fields(), |flow, model, rng| {
        let field = model.velocity_field().unwrap();
        for (i, wrong) in NOT_FINITE.into_iter().enumerate() {
            let scratch = &mut Scratch::new();
            let context = random_context(flow, rng);
            let mut x = random_latent(flow.dim, rng);
            x[i % flow.dim] = wrong;
            if wrong.is_nan() {
                let mut v = vec![0.0; flow.dim];
                field.velocity(&x, 0.5, &context, &mut v, scratch).unwrap();
                assert_shown(&flow.name, &v);
            }
            field
                .euler(&mut x, NonZeroU16::MIN, &context, scratch)
                .unwrap();
            assert_shown(&flow.name, &x);
        }
    });
}

/// A scratch may come from another model, full of its numbers.
#[test]
fn what_a_scratch_held_before_changes_nothing() {
    let flows = [all_real_nvps(), all_velocity_fields()].concat();
    let mut used = Scratch::new();
    for_each_model(&flows, |flow, model, rng| {
        let context = random_context(flow, rng);
        let noise = random_latent(flow.dim, rng);
        let run = |scratch: &mut Scratch| {
            let mut x = noise.clone();
            match model.flow() {
                flowlet::Flow::RealNvp(nvp) => nvp.inverse(&mut x, &context, scratch),
                flowlet::Flow::VelocityField(field) => {
                    field.euler(&mut x, NonZeroU16::MIN, &context, scratch)
                }
            }
            .unwrap();
            bits(&x)
        };
        let fresh = run(&mut Scratch::new());
        assert_eq!(run(&mut used), fresh, "{}", flow.name);
    });
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}
