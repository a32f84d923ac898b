//! Real sensors: walking, told from standing, running and badminton by its log-probability.

use super::*;
use flowlet_trainer::evaluation::log_std;
use flowlet_trainer::model_file::ModelFile;

/// A single Gaussian reaches 0.9997.
const LEAST_AREA: f64 = 0.99;

/// Standardized nats of the walking rows of the test file, other persons than in training: a single
/// Gaussian reaches 8.2, this flow 9 because of a few far rows, and one that explodes 50 and more.
const MOST_NLL: f64 = 15.0;

/// The scores of walking, and those of all else.
fn scores(csv: &str) -> (Vec<f64>, Vec<f64>) {
    let (mut walking, mut others) = (Vec::new(), Vec::new());
    for line in csv.lines().skip(1) {
        let (rest, score) = line.rsplit_once(',').unwrap();
        let scores = match rest.ends_with(",walking") {
            true => &mut walking,
            false => &mut others,
        };
        scores.push(score.parse().unwrap());
    }
    (walking, others)
}

/// The area under the ROC curve: how often `high` is above `low`.
fn area(high: &[f64], low: &[f64]) -> f64 {
    let above = |a: f64, b: f64| f64::from(u8::from(a > b)) + 0.5 * f64::from(u8::from(a == b));
    let sum: f64 = high
        .iter()
        .flat_map(|a| low.iter().map(|b| above(*a, *b)))
        .sum();
    sum / (high.len() * low.len()) as f64
}

#[test]
fn walking_is_told_from_other_activities() {
    let folder = Folder::new();
    folder.copy("data/imu_windows_train.csv");
    folder.copy("data/imu_windows_test.csv");
    let report = folder.json(
        "train imu_windows_train.csv --where activity=walking \
         --columns logstd_ax..logstd_gz -o walking.flow",
    );
    assert_eq!(report["dim"], 6);
    assert_eq!(report["training_rows"], 369);
    folder.succeed("score walking.flow imu_windows_test.csv -o scores.csv");
    let (walking, others) = scores(&folder.text("scores.csv"));
    assert_eq!((walking.len(), others.len()), (410, 1230));

    let area = area(&walking, &others);
    assert!(area >= LEAST_AREA, "{area}");
    let file = ModelFile::read(&folder.path("walking.flow")).unwrap();
    let mean = walking.iter().sum::<f64>() / walking.len() as f64;
    let nll = -mean - log_std(&file.model().unwrap());
    assert!(nll <= MOST_NLL, "{nll}");
}
