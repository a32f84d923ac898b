//! A density is one only if it integrates to 1.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use flowlet::{MAX_SCRATCH_LEN, Precision, Scratch};
use flowlet_tests::golden;
use flowlet_tests::random_flow::{generator, random_context, real_nvps};
use flowlet_trainer::export::export;
use flowlet_trainer::flow::Flow;

/// The grid is even in `w` with `(x − mean) / std = sinh(w)`, from `−REACH` to `REACH`: fine in the
/// middle, and 4000 standard deviations wide, for a flow with scales at the clip has far tails.
const REACH: f64 = 9.0;

/// The integral of `p(x)` over a grid of `cells` a dimension.
fn integral<const DIM: usize>(flow: &Flow, cells: usize) -> f64 {
    let file = export(flow, Precision::F32).unwrap();
    let model = file.model().unwrap();
    let context = random_context(flow, &mut generator(3));
    let mut scratch = Scratch::<MAX_SCRATCH_LEN>::new();
    let mut density = model
        .density_given::<DIM, _>(&context, &mut scratch)
        .unwrap();
    let step = 2.0 * REACH / cells as f64;
    let mut sum = 0.0;
    for cell in 0..cells.pow(DIM as u32) {
        let w: [f64; DIM] = std::array::from_fn(|i| {
            let along = cell / cells.pow(i as u32) % cells;
            (along as f64 + 0.5) * step - REACH
        });
        let x = std::array::from_fn(|i| {
            (f64::from(flow.mean[i]) + f64::from(flow.std[i]) * w[i].sinh()) as f32
        });
        let volume: f64 = w.iter().map(|w| w.cosh() * step).product();
        sum += f64::from(density.log_prob(&x)).exp() * volume;
    }
    let unit: f64 = flow.std[..DIM].iter().map(|std| f64::from(*std)).product();
    sum * unit
}

fn assert_integrates_to_1<const DIM: usize>(flow: &Flow, cells: usize, tolerance: f64) {
    let integral = integral::<DIM>(flow, cells);
    assert!(
        (integral - 1.0).abs() < tolerance,
        "the density of {} integrates to {integral}",
        flow.name
    );
}

/// Six layers with scales at the clip fold the density so finely that the sum still swings by a
/// hundredth from grid to grid: 1.005 with 700 cells, 1.007 with 1000, 0.999 with 1200.
const FOLDED: f64 = 2e-2;

/// Measured with 200 cells: 5e-5 for 32 layers, else 1e-7.
const SMOOTH: f64 = 2e-4;

#[test]
fn golden_density_integrates_to_1() {
    assert_integrates_to_1::<2>(&golden::flow("real_nvp_2d"), 700, FOLDED);
}

#[test]
fn random_densities_integrate_to_1() {
    for flow in real_nvps() {
        match flow.dim {
            1 => assert_integrates_to_1::<1>(&flow, 10_000, SMOOTH),
            2 => assert_integrates_to_1::<2>(&flow, 200, SMOOTH),
            _ => (),
        }
    }
}
