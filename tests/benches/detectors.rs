//! False alarms and detections on a sensor's recordings, beside other detectors fitted to the same rows.
//!
//! Walking is normal. Each detector is fitted to six of its ten recordings in the training table, and its
//! threshold is the quantile that `flowlet calibrate` takes of the other four; what then counts are the rows of
//! the test table, of other persons. `FLOWLET_PYTHON` names the Python that has scikit-learn, `python3` by
//! default.

#![expect(clippy::unwrap_used, reason = "a bench may fail")]

use std::collections::BTreeMap;
use std::process::Command;

use flowlet_tests::command::Folder;
use flowlet_trainer::threshold::threshold;
use serde::Deserialize;

const FALSE_ALARMS: f64 = 0.05;
const SEEDS: [u64; 3] = [0, 1, 2];
const NORMAL: &str = "walking";
/// Recordings that detectors are fitted to.
const FITTED: usize = 6;

struct Table {
    name: &'static str,
    training: &'static str,
    test: &'static str,
    /// Rows of a recording.
    recording: usize,
}

static TABLES: [Table; 2] = [
    Table {
        name: "windows of 2 s",
        training: include_str!("../data/imu_windows_train.csv"),
        test: include_str!("../data/imu_windows_test.csv"),
        recording: 41,
    },
    Table {
        name: "single samples",
        training: include_str!("../data/imu_train.csv"),
        test: include_str!("../data/imu_test.csv"),
        recording: 100,
    },
];

/// Shares of rows called strange, and how often a normal row is less strange than another.
#[derive(Clone, Copy, Debug)]
struct Verdict {
    false_alarms: f64,
    detections: f64,
    area: f64,
}

#[derive(Deserialize)]
struct Printed {
    version: String,
    scores: BTreeMap<String, [Vec<f32>; 2]>,
}

fn main() {
    println!(
        "Fitted to {FITTED} of ten recordings of {NORMAL}, calibrated for {} % false alarms on the other four; rows \
         of other persons. Medians of {} seeds.\n",
        100.0 * FALSE_ALARMS,
        SEEDS.len()
    );
    println!("| rows | detector | false alarms | detected | area under ROC |");
    println!("|---|---|---:|---:|---:|");
    let mut version = None;
    for table in &TABLES {
        let mut verdicts: BTreeMap<String, Vec<Verdict>> = BTreeMap::new();
        for seed in SEEDS {
            let folder = Folder::new();
            table.write(&folder);
            let mut scores = BTreeMap::from([("flowlet, int8".into(), ours(&folder, seed))]);
            if let Some(theirs) = theirs(&folder, seed) {
                scores.extend(theirs.scores);
                version = Some(theirs.version);
            }
            for (name, [calibration, test]) in scores {
                let verdict = table.verdict(&calibration, &test);
                verdicts.entry(name).or_default().push(verdict);
            }
        }
        for (name, verdicts) in verdicts {
            let of = |number: fn(&Verdict) -> f64| median(verdicts.iter().map(number));
            println!(
                "| {} | {name} | {:.1} % | {:.1} % | {:.4} |",
                table.name,
                100.0 * of(|verdict| verdict.false_alarms),
                100.0 * of(|verdict| verdict.detections),
                of(|verdict| verdict.area)
            );
        }
    }
    match version {
        Some(version) => println!("\nThe others are those of scikit-learn {version}."),
        None => println!("\nNo Python with scikit-learn was found: FLOWLET_PYTHON names one."),
    }
}

impl Table {
    /// Writes the normal rows to fit to and to calibrate on, and all rows to test on.
    fn write(&self, folder: &Folder) {
        let normal = rows(self.training).filter(|(_, activity)| *activity == NORMAL);
        let normal: Vec<&str> = normal.map(|(row, _)| row).collect();
        let (fitted, others) = normal.split_at(FITTED * self.recording);
        let test: Vec<&str> = rows(self.test).map(|(row, _)| row).collect();
        let head = self
            .training
            .lines()
            .next()
            .unwrap()
            .rsplit_once(',')
            .unwrap()
            .0;
        for (name, rows) in [("fit", fitted), ("calibration", others), ("test", &test)] {
            folder.write(
                &format!("{name}.csv"),
                format!("{head}\n{}\n", rows.join("\n")),
            );
        }
    }

    fn verdict(&self, calibration: &[f32], test: &[f32]) -> Verdict {
        let threshold = threshold(calibration, FALSE_ALARMS).unwrap();
        let (mut normal, mut other) = (vec![], vec![]);
        for ((_, activity), &score) in rows(self.test).zip(test) {
            if activity == NORMAL {
                &mut normal
            } else {
                &mut other
            }
            .push(score);
        }
        let share = |scores: &[f32]| {
            let strange = scores.iter().filter(|score| threshold.is_strange(**score));
            strange.count() as f64 / scores.len() as f64
        };
        Verdict {
            false_alarms: share(&normal),
            detections: share(&other),
            area: area(&normal, &other),
        }
    }
}

/// The numbers of each row, and its activity.
fn rows(table: &str) -> impl Iterator<Item = (&str, &str)> {
    let rows = table.lines().skip(1);
    rows.map(|row| row.rsplit_once(',').unwrap())
}

/// Of all pairs, the share in which the normal row has the higher score; ties count half.
fn area(normal: &[f32], other: &[f32]) -> f64 {
    let mut other = other.to_vec();
    other.sort_by(f32::total_cmp);
    let below = |score: &f32| {
        let less = other.partition_point(|x| x < score);
        let most = other.partition_point(|x| x <= score);
        0.5 * (less + most) as f64
    };
    normal.iter().map(below).sum::<f64>() / (normal.len() * other.len()) as f64
}

fn ours(folder: &Folder, seed: u64) -> [Vec<f32>; 2] {
    folder.succeed(&format!("train fit.csv --seed {seed} -o model.flow"));
    ["calibration", "test"].map(|name| {
        folder.succeed(&format!("score model.flow {name}.csv -o scores.csv"));
        let text = folder.text("scores.csv");
        let scores = text
            .lines()
            .skip(1)
            .map(|row| row.rsplit(',').next().unwrap());
        scores.map(|score| score.parse().unwrap()).collect()
    })
}

fn theirs(folder: &Folder, seed: u64) -> Option<Printed> {
    let python = std::env::var_os("FLOWLET_PYTHON").unwrap_or_else(|| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/sklearn/detectors.py");
    let mut command = Command::new(python);
    command.args(["-B", script]);
    command.args(["fit.csv", "calibration.csv", "test.csv"].map(|name| folder.path(name)));
    let output = command.arg(seed.to_string()).output().ok()?;
    serde_json::from_slice(&output.stdout).ok()
}

fn median(numbers: impl Iterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
