//! `flowlet run --example detector`.

use super::*;

/// The calibrated model of walking, and what a sensor measured of four activities.
fn folder_with_recordings() -> Folder {
    let folder = Folder::new();
    folder.write("walking.flow", include_bytes!("../../data/walking.flow"));
    folder.write("imu.csv", include_bytes!("../../data/imu_test.csv"));
    folder
}

const REPLAY: &str =
    "run walking.flow --board qemu-m4 --example detector --replay imu.csv --recording 100";

#[test]
fn the_board_finds_what_score_finds_of_its_windows() {
    let folder = folder_with_recordings();
    let found = folder.json(&format!(
        "{REPLAY} --normal activity=walking -o windows.csv"
    ));
    assert_eq!(found["windows"], 1640);
    let categories = found["categories"].as_array().unwrap();
    let strange = |of_normal: bool| -> u64 {
        let of = categories.iter().filter(|of| of["is_normal"] == of_normal);
        of.map(|of| of["strange"].as_u64().unwrap()).sum()
    };
    // Another person's walking is stranger than one in a hundred; every other activity is all strange.
    assert_eq!((strange(true), strange(false)), (38, 1230));

    let scored = folder.json("score walking.flow windows.csv -o scores.csv");
    assert_eq!(scored["strange"], 38 + 1230);
    let log_probs = |name: &str| -> Vec<String> {
        let text = folder.text(name);
        let rows = text.lines().skip(1);
        rows.map(|row| row.rsplit(',').next().unwrap().into())
            .collect()
    };
    let (here, there) = (log_probs("scores.csv"), log_probs("windows.csv"));
    assert!(here.len() == 1640 && here == there);
}

#[test]
fn a_checkouts_recordings_are_replayed_unless_others_are_given() {
    let folder = folder_with_recordings();
    let found = |arguments: &str| {
        let mut found = folder.json(arguments);
        found.as_object_mut().unwrap().remove("replay");
        found
    };
    let unless_given = "run walking.flow --board qemu-m4 --example detector";
    let of_walking = found(unless_given);
    assert_eq!(
        of_walking,
        found(&format!("{REPLAY} --normal activity=walking"))
    );

    let of_running = found(&format!("{unless_given} --normal activity=running"));
    assert_eq!(
        of_running,
        found(&format!("{REPLAY} --normal activity=running"))
    );
    assert_ne!(of_running, of_walking);
}

#[test]
fn numbers_may_stand_for_what_went_on() {
    let folder = folder_with_recordings();
    let mut table = folder.text("imu.csv");
    for (i, name) in ["badminton", "running", "standing", "walking"]
        .iter()
        .enumerate()
    {
        table = table.replace(name, &format!("{}", 10 - i));
    }
    folder.write("coded.csv", table);
    let line = format!("{REPLAY} --normal activity=7").replace("imu.csv", "coded.csv");
    let found = folder.json(&line);
    let told = found["categories"].as_array().unwrap().iter().map(|of| {
        let is_normal = of["is_normal"].as_bool().unwrap();
        (
            of["value"].as_str().unwrap(),
            is_normal,
            of["strange"].as_u64().unwrap(),
        )
    });
    let expected = [
        ("7", true, 38),
        ("8", false, 410),
        ("9", false, 410),
        ("10", false, 410),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    let message = folder.fail(&line.replace("=7", "=6"));
    assert_tells(
        &message,
        &["activity=6 is in no row: there are activity=7, activity=8"],
    );
}

#[test]
fn what_the_detector_cannot_take_is_told() {
    let folder = folder_with_recordings();
    let moons = folder_with_moons();
    folder.write("moons.flow", moons.read("moons.flow"));
    let told = |arguments: &str, message: &str| {
        let error = folder.fail(arguments);
        assert!(error.contains(message), "{arguments}: {error}");
    };
    let replay = "run walking.flow --example detector";
    told(
        &format!("{replay} --recording 50"),
        "or give others by --replay",
    );
    told(
        &format!("{replay} --replay imu.csv --recording 19"),
        "no recording is as long as a window",
    );
    told(
        &format!("{REPLAY} --normal activity=flying"),
        "--normal activity=flying is in no row: there are activity=badminton",
    );
    told(&format!("{REPLAY} --normal mood=good"), "mood");
    told(&format!("{REPLAY} --plot a.png"), "leave out --plot");
    told(&format!("{REPLAY} -n 3"), "leave out --plot and -n");
    for option in ["--seed 0", "--steps 3", "--context 1"] {
        told(
            &format!("{REPLAY} {option}"),
            "leave out --seed, --steps and --context",
        );
    }
    told(
        "run moons.flow --example detector --replay imu.csv",
        "none of a sensor's windows",
    );
    told(
        "run moons.flow --replay imu.csv",
        "add `--example detector`",
    );
    folder.write(
        "rows.csv",
        include_bytes!("../../data/imu_windows_train.csv"),
    );
    folder.succeed(
        "train rows.csv --where activity=walking --steps 20 --layers 2 --hidden 8 -o plain.flow",
    );
    told(
        &REPLAY.replace("walking.flow", "plain.flow"),
        "store one by `flowlet calibrate",
    );
}
