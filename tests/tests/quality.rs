//! What the defaults reach on moons.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use flowlet::Precision;
use flowlet_trainer::data::toy::ToySet;
use flowlet_trainer::evaluation::{Evaluation, POINTS, evaluate};
use flowlet_trainer::export::export;
use flowlet_trainer::fit::{FitOptions, fit};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

/// Nats in standardized space. The data's own density gives 1.13, affine couplings in JAX 1.15.
const MOST_NLL: f64 = 1.16;

/// Two independent draws of as many points are 0.015 apart.
const MOST_SLICED_W2: f64 = 0.035;

fn trained_on_moons(options: &FitOptions) -> Evaluation {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(options.seed);
    let data = ToySet::Moons.sample(POINTS, &mut rng);
    let fitted = fit(&data, options, &mut |_| {}).unwrap();
    let file = export(&fitted.flow, Precision::F32).unwrap();
    evaluate(
        &file.model().unwrap(),
        ToySet::Moons,
        None,
        options.seed + 1,
    )
    .unwrap()
}

#[test]
fn real_nvp_comes_close_to_the_density_of_moons() {
    let nll = trained_on_moons(&FitOptions::real_nvp()).nll.unwrap();
    assert!(nll <= MOST_NLL, "{nll}");
}

#[test]
fn flow_matching_samples_come_close_to_moons() {
    let sliced_w2 = trained_on_moons(&FitOptions::flow_matching()).sliced_w2;
    assert!(sliced_w2 <= MOST_SLICED_W2, "{sliced_w2}");
}
