//! `flowlet calibrate`, and what uses its threshold.

use super::*;

/// A table of points of the moons' law that the model has not seen.
fn folder_with_rows() -> Folder {
    let folder = folder_with_moons();
    folder.succeed("sample moons.flow -n 999 --seed 5 -o normal.csv");
    folder
}

#[test]
fn a_threshold_is_stored_shown_and_used() {
    let folder = folder_with_rows();
    let before = folder.json("inspect moons.flow");
    assert!(before["threshold"].is_null());
    let said =
        folder.json("calibrate moons.flow normal.csv --false-alarms 0.05 -o calibrated.flow");
    assert_eq!(
        (&said["calibration_rows"], &said["false_alarms"]),
        (&999.into(), &0.05.into())
    );
    let shown = folder.json("inspect calibrated.flow");
    for key in ["threshold", "false_alarms", "at_least", "at_most"] {
        assert_eq!(said[key], shown[key], "{key}");
    }
    // The fiftieth lowest of 999, so 49 are below.
    let scored = folder.json("score calibrated.flow normal.csv -o scores.csv");
    assert_eq!(scored["strange"], 49);
    let scores = folder.text("scores.csv");
    let mut lines = scores.lines();
    assert_eq!(lines.next(), Some("x,y,strange,log_prob"));
    let strange = lines.filter(|line| line.split(',').nth(2) == Some("1"));
    assert_eq!(strange.count(), 49);
    // What samples and log-probabilities come from is as it was.
    folder.succeed("score moons.flow normal.csv -o plain.csv");
    let last = |text: String| -> Vec<String> {
        let cells = text
            .lines()
            .skip(1)
            .map(|line| line.rsplit(',').next().unwrap().into());
        cells.collect()
    };
    assert_eq!(last(scores), last(folder.text("plain.csv")));
}

#[test]
fn the_model_itself_is_calibrated_and_calibrated_anew() {
    let folder = folder_with_rows();
    let plain = folder.read("moons.flow");
    folder.succeed("calibrate moons.flow normal.csv --false-alarms 0.1");
    let once = folder.read("moons.flow");
    assert!(once.len() > plain.len());
    folder.succeed("calibrate moons.flow normal.csv --false-alarms 0.2");
    let twice = folder.read("moons.flow");
    assert!(twice.len() == once.len() && twice != once);
    folder.succeed("calibrate moons.flow normal.csv --false-alarms 0.1");
    assert!(folder.read("moons.flow") == once);
}

#[test]
fn what_cannot_be_calibrated_is_an_error_and_changes_nothing() {
    let folder = folder_with_rows();
    let before = folder.read("moons.flow");
    let message = folder.fail("calibrate moons.flow normal.csv --false-alarms 0.0005");
    assert_tells(&message, &["999", "1999 or more"]);
    for share in ["0", "1", "-0.5", "NaN"] {
        let line = format!("calibrate moons.flow normal.csv --false-alarms {share}");
        assert_tells(
            &folder.fail(&line),
            &["share of false alarms", "between 0 and 1"],
        );
    }
    let message = folder.fail("calibrate moons.flow normal.csv -o normal.csv");
    assert_tells(&message, &["written over", "normal.csv"]);
    folder.write("other.csv", "a,b\n1,2\n");
    assert_tells(
        &folder.fail("calibrate moons.flow other.csv"),
        &["other.csv"],
    );
    assert!(folder.read("moons.flow") == before);
    folder.succeed(
        "train moons --model flow-matching --steps 5 --points 200 --hidden 8 -o field.flow",
    );
    let message = folder.fail("calibrate field.flow normal.csv");
    assert_tells(&message, &["cannot calibrate field.flow", "RealNVP"]);
}

#[test]
fn other_nets_are_not_given_the_threshold_of_these() {
    let folder = Folder::new();
    folder.succeed(
        "train moons --steps 5 --points 200 --layers 2 --hidden 8 --precision f32 -o float.flow",
    );
    folder.succeed("sample float.flow -n 200 -o normal.csv");
    folder.succeed("quantize float.flow -o before.flow");
    folder.succeed("calibrate float.flow normal.csv");
    folder.succeed("quantize float.flow -o after.flow");
    assert!(folder.read("before.flow") == folder.read("after.flow"));
}
