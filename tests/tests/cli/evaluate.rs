//! `flowlet evaluate`.

use super::*;

/// A folder with the windows of the sensors and a tiny model of the walking ones, `moons.flow`.
fn folder_with_windows() -> Folder {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    let bytes = FILE.get_or_init(|| {
        let folder = Folder::new();
        folder.copy("data/imu_windows_train.csv");
        folder.succeed(
            "train imu_windows_train.csv --where activity=walking --steps 100 --layers 2 --hidden 8 \
             -o moons.flow",
        );
        folder.read("moons.flow")
    });
    let folder = folder_with(bytes);
    folder.copy("data/imu_windows_train.csv");
    folder.copy("data/imu_windows_test.csv");
    folder
}

#[test]
fn figures_are_those_at_the_end_of_training() {
    let folder = Folder::new();
    let trained = folder.json(&format!("train gaussians {TINY} --precision f32"));
    let evaluated = folder.json("evaluate gaussians.flow gaussians");
    for key in [
        "nll",
        "exact_nll",
        "sliced_w2",
        "energy_distance_ratio",
        "squared_mmd",
        "two_sample_accuracy_floor",
        "between_modes",
        "mode_weight_deviation",
    ] {
        assert!(evaluated[key].is_number(), "{key}");
        assert_eq!(evaluated[key], trained[key], "{key}");
    }
}

#[test]
fn two_forms_of_a_model_stand_side_by_side() {
    let folder = folder_with_moons();
    folder.succeed(&format!("train moons {TINY} --precision f32 -o f32.flow"));
    let line = "evaluate moons.flow moons --against f32.flow --samples 500";
    let report = folder.json(line);
    assert_eq!(report["compared"], 500);
    for key in [
        "nll_f32",
        "nll_int8",
        "nats_lost",
        "sliced_w2_f32",
        "squared_mmd_int8",
    ] {
        assert!(report[key].is_number(), "{key}");
    }
    assert_eq!(report["nll"], report["nll_int8"]);
    assert_tells(
        &folder.succeed(line),
        &["int8", "f32", "nats lost", "above exact", "floor", "C2ST"],
    );
    // Two models that precision does not tell apart.
    let report = folder.json("evaluate moons.flow moons --against moons.flow --samples 100");
    assert_eq!(report["sliced_w2_model"], report["sliced_w2_against"]);
}

#[test]
fn rows_are_held_against_baselines_of_the_training_rows() {
    let folder = folder_with_windows();
    let line = "evaluate moons.flow imu_windows_test.csv --train imu_windows_train.csv \
                --where activity=walking";
    let report = folder.json(line);
    /// Rounded; scikit-learn standardizes by the 410 rows, here nine tenths of them count.
    const TOLERANCE: f64 = 0.25;
    let nll = report["gaussian_nll"].as_f64().unwrap();
    // A single Gaussian of scikit-learn.
    assert!((nll - 8.21).abs() < TOLERANCE, "{nll}");
    assert_eq!(report["compared"], 205);
    assert!(report["nll_carriers"].as_u64().unwrap() >= 1);
    assert_tells(
        &folder.succeed(line),
        &[
            "410 rows of imu_windows_test.csv",
            "single Gaussian",
            "partings",
        ],
    );
}

#[test]
fn few_rows_have_a_likelihood_only() {
    let folder = folder_with_moons();
    folder.write("few.csv", csv("x,y", &[vec![1.0, 0.0], vec![0.0, 1.0]]));
    let report = folder.json("evaluate moons.flow few.csv");
    assert!(report["nll"].is_number());
    assert!(report.get("sliced_w2").is_none());
    assert_tells(&folder.succeed("evaluate moons.flow few.csv"), &["too few"]);
}

#[test]
fn steps_are_those_of_flow_matching() {
    let folder = folder_with_flow_matching();
    let distance = |options: &str| {
        let report = folder.json(&format!(
            "evaluate moons.flow moons --samples 500 {options}"
        ));
        assert!(report.get("nll").is_none());
        report["energy_distance"].as_f64().unwrap()
    };
    let own = folder.json("inspect moons.flow")["step_count"].clone();
    assert_eq!(distance(""), distance(&format!("--steps {own}")));
    assert_ne!(distance(""), distance("--steps 77"));
    assert_ne!(distance(""), distance("--seed 5"));
    let real_nvp = folder_with_moons();
    let message = real_nvp.fail("evaluate moons.flow moons --steps 4");
    assert_tells(&message, &["RealNVP", "--steps"]);
    // They are of the one that takes any.
    real_nvp.write("field.flow", folder.read("moons.flow"));
    let beside = |options: &str| {
        let line = "evaluate moons.flow moons --against field.flow --samples 500";
        let report = real_nvp.json(&format!("{line} {options}"));
        ["sliced_w2_model", "sliced_w2_against"].map(|key| report[key].as_f64().unwrap())
    };
    let (own, others) = (beside(""), beside("--steps 77"));
    assert!(own[0] == others[0] && own[1] != others[1]);
}

#[test]
fn baselines_are_for_log_probabilities() {
    let folder = folder_with_flow_matching();
    folder.write("points.csv", csv("x,y", &[vec![1.0, 0.0], vec![0.0, 1.0]]));
    let message = folder.fail("evaluate moons.flow points.csv --train points.csv");
    assert_tells(&message, &["--train", "flow matching", "leave it out"]);
}

#[test]
fn what_does_not_fit_is_told() {
    let folder = folder_with_windows();
    for (line, facts) in [
        (
            "evaluate moons.flow moons",
            vec!["2 dimensions", "6 dimensions"],
        ),
        (
            "evaluate moons.flow moon",
            vec!["moon is neither", "moons, circles, gaussians"],
        ),
        (
            "evaluate moons.flow moons --where a=b",
            vec!["--where", "toy set"],
        ),
        (
            "evaluate moons.flow imu_windows_test.csv --samples 50",
            vec!["--samples", "toy sets"],
        ),
        (
            "evaluate moons.flow missing.csv",
            vec!["missing.csv", "No such file"],
        ),
    ] {
        assert_tells(&folder.fail(line), &facts);
    }
}
