//! Metrics against NumPy, SciPy and scikit-learn, on the same points.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::HashMap;

use flowlet_trainer::metrics::{
    energy_distance, modes, sliced_w2, squared_mmd, two_sample_accuracy,
};
use ndarray::Array2;

/// Pairs in `f32`, in both implementations: distances of up to 5, with an error of 6e-8 of them each.
const ENERGY_TOLERANCE: f64 = 1e-6;

/// Kernels in `f32`, of at most 1; the narrowest is there the 400th power of an exponential.
const MMD_TOLERANCE: f64 = 1e-6;

/// Directions are drawn at random, 512 here and others there, and so are the parts of the two-sample test:
/// four standard deviations over such draws, of the difference of two.
const DEVIATIONS: f64 = 4.0 * std::f64::consts::SQRT_2;

/// Ties of votes are one half here; there they go to the first set, whichever the point is of.
const TIE_TOLERANCE: f64 = 0.005;

/// What `gaussians` was divided by, so that columns have variance 1.
const STD: f32 = 1.422_146_3;

#[derive(serde::Deserialize)]
struct Case {
    results: HashMap<String, f64>,
    generated: Vec<[f32; 2]>,
    r#true: Vec<[f32; 2]>,
}

impl Case {
    fn generated(&self) -> Array2<f32> {
        self.generated.clone().into()
    }

    #[track_caller]
    fn assert_near(&self, key: &str, found: f64, tolerance: f64) {
        let expected = self.results[key];
        println!("{key}: {found} for {expected}");
        assert!(
            (found - expected).abs() <= tolerance,
            "{key}: {found} for {expected} within {tolerance}"
        );
    }
}

fn cases() -> HashMap<String, Case> {
    serde_json::from_str(include_str!("../data/two_samples.json")).unwrap()
}

#[test]
fn distances_are_those_of_numpy() {
    for case in cases().values() {
        let (generated, points) = (case.generated(), Array2::from(case.r#true.clone()));
        let (a, b) = (generated.view(), points.view());
        case.assert_near("energy", energy_distance(a, b), ENERGY_TOLERANCE);
        case.assert_near("mmd2", squared_mmd(a, b), MMD_TOLERANCE);
        let directions = DEVIATIONS * case.results["sw2_std"];
        case.assert_near("sw2_mean", sliced_w2(a, b), directions);
        let parts = DEVIATIONS * case.results["c2st_knn_std"] + TIE_TOLERANCE;
        case.assert_near("c2st_knn_mean", two_sample_accuracy(a, b), parts);
    }
}

#[test]
fn modes_are_counted_as_by_numpy() {
    /// Shares of 500 points.
    const TOLERANCE: f64 = 1e-9;
    let case = &cases()["gaussians"];
    let found = modes((case.generated() * STD).view());
    case.assert_near("bridge", found.between, TOLERANCE);
    case.assert_near("wdev", found.weight_deviation, TOLERANCE);
}
