//! Euler's method against solutions that are known.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::num::NonZeroU16;

use flowlet::{MAX_SCRATCH_LEN, Precision, Scratch, euler};
use flowlet_tests::golden;
use flowlet_tests::random_flow::{generator, random_context, random_latent, velocity_fields};
use flowlet_trainer::export::export;
use flowlet_trainer::flow::Flow;

/// Euler's error is `c / n · (1 + O(1 / n))`: the slope over a halved step comes this near to 1 from
/// 32 steps on.
const SLOPE_TOLERANCE: f64 = 0.05;

fn steps(n: u16) -> NonZeroU16 {
    NonZeroU16::new(n).unwrap()
}

fn solve<const DIM: usize>(
    mut x: [f32; DIM],
    n: u16,
    field: impl FnMut(&[f32], f32, &mut [f32]),
) -> [f32; DIM] {
    euler(&mut x, &mut [f32::NAN; DIM], steps(n), field);
    x
}

/// That the distance from `exact` falls as the step does, to the first order.
fn assert_first_order<const DIM: usize>(
    x_0: [f32; DIM],
    exact: [f64; DIM],
    field: impl Fn(&[f32], f32, &mut [f32]),
) {
    let error = |n| -> f64 {
        let x = solve(x_0, n, &field);
        let squares = x
            .iter()
            .zip(&exact)
            .map(|(x, e)| (f64::from(*x) - e).powi(2));
        squares.sum::<f64>().sqrt()
    };
    for n in [32, 64, 128] {
        let slope = (error(n) / error(2 * n)).log2();
        assert!(
            (slope - 1.0).abs() < SLOPE_TOLERANCE,
            "from {n} to {} steps the error falls with order {slope}",
            2 * n
        );
    }
}

#[test]
fn a_constant_field_is_followed_exactly() {
    let constant = |_: &[f32], _: f32, v: &mut [f32]| v.copy_from_slice(&[3.0, -0.5, 0.0]);
    // Powers of two, so that each step and each sum is exact in `f32`.
    for n in [1, 2, 4, 64, 1024] {
        assert_eq!(solve([1.0, 2.0, -7.0], n, constant), [4.0, 1.5, -7.0]);
    }
}

#[test]
fn error_halves_with_the_step_under_growth() {
    assert_first_order([1.0], [1.0f64.exp()], |x, _, v| v[0] = x[0]);
}

#[test]
fn error_halves_with_the_step_under_rotation() {
    let exact = [2.0f64.cos(), 2.0f64.sin()];
    assert_first_order([1.0, 0.0], exact, |x, _, v| {
        v.copy_from_slice(&[-2.0 * x[1], 2.0 * x[0]]);
    });
}

#[test]
fn error_halves_with_the_step_where_the_field_changes_in_time() {
    assert_first_order([0.0], [1.0f64.exp() - 1.0], |_, t, v| v[0] = t.exp());
}

#[test]
fn each_step_reads_the_field_at_its_beginning() {
    for n in [1, 3, 100, u16::MAX] {
        let mut times = Vec::new();
        solve([0.0], n, |_, t, v| {
            times.push(t);
            v[0] = 0.0;
        });
        let expected = (0..n).map(|k| f32::from(k) / f32::from(n));
        assert!(times.into_iter().eq(expected), "{n} steps");
    }
}

/// In `f32`, in the order of `FORMAT.md`.
fn to_data(flow: &Flow, u: &[f32]) -> Vec<f32> {
    let mixed = |i: usize| match &flow.factor {
        None => u[i],
        Some(factor) => {
            let products = (0..i).rev().map(|j| factor[[i, j]] * u[j]);
            products.fold(factor[[i, i]] * u[i], |sum, product| sum + product)
        }
    };
    let x = |i: usize| flow.mean[i] + flow.std[i] * mixed(i);
    (0..flow.dim).map(x).collect()
}

#[test]
fn velocity_field_takes_the_steps_of_the_formula() {
    let mut flows = velocity_fields();
    flows.extend(golden::FLOW_MATCHING.map(golden::flow));
    for (i, flow) in flows.iter().enumerate() {
        let file = export(flow, Precision::F32).unwrap();
        let model = file.model().unwrap();
        let field = model.velocity_field().unwrap();
        let rng = &mut generator(i as u64);
        let context = random_context(flow, rng);
        let x_0 = random_latent(flow.dim, rng);
        for n in [1, 2, 7, 100] {
            let mut scratch = Scratch::<MAX_SCRATCH_LEN>::new();
            let mut x = x_0.clone();
            field
                .euler(&mut x, steps(n), &context, &mut scratch)
                .unwrap();

            let mut by_hand = x_0.clone();
            let mut v = vec![0.0; flow.dim];
            for k in 0..n {
                let t = f32::from(k) / f32::from(n);
                field
                    .velocity(&by_hand, t, &context, &mut v, &mut scratch)
                    .unwrap();
                for (x, v) in by_hand.iter_mut().zip(&v) {
                    *x += v / f32::from(n);
                }
            }
            assert_eq!(x, to_data(flow, &by_hand), "{} in {n} steps", flow.name);
        }
    }
}
