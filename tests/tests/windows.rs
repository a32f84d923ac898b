//! The features of windows are those that the tables of windows have, which are not of our making.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use flowlet_window::Windows;

/// Samples of a recording.
const RECORDING: usize = 100;

/// The tables have six digits, the largest numbers one of them before the point; and the samples, rounded
/// too, move a small deviation's logarithm by as much again.
const TOLERANCE: f32 = 5e-5;

fn rows(table: &str) -> Vec<[f32; 6]> {
    let lines = table.lines().skip(1);
    let numbers = lines.map(|line| line.split(',').take(6).map(|cell| cell.parse().unwrap()));
    numbers
        .map(|row| row.collect::<Vec<f32>>().try_into().unwrap())
        .collect()
}

fn assert_windows(samples: &str, expected: &str) {
    let (samples, expected) = (rows(samples), rows(expected));
    let mut found = vec![];
    for recording in samples.chunks(RECORDING) {
        let mut windows = Windows::new();
        found.extend(recording.iter().filter_map(|sample| windows.push(sample)));
    }
    assert_eq!(found.len(), expected.len());
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        for (found, expected) in found.iter().zip(expected) {
            let error = (found - expected).abs();
            assert!(error < TOLERANCE, "window {i}: {found}, not {expected}");
        }
    }
}

#[test]
fn windows_of_the_training_samples_are_those_of_the_table() {
    assert_windows(
        include_str!("../data/imu_train.csv"),
        include_str!("../data/imu_windows_train.csv"),
    );
}

#[test]
fn windows_of_the_test_samples_are_those_of_the_table() {
    assert_windows(
        include_str!("../data/imu_test.csv"),
        include_str!("../data/imu_windows_test.csv"),
    );
}
