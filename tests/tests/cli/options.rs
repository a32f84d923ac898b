//! Options that ask for what cannot be.

use super::*;

#[track_caller]
fn assert_refused(line: &str, facts: &[&str]) {
    assert_tells(&Folder::new().fail(line), facts);
}

#[test]
fn sizes_beyond_the_format_are_refused_before_training() {
    for (option, value, range) in [
        ("--layers", "0", "1..=32"),
        ("--layers", "33", "1..=32"),
        ("--layers", "-1", "1..=32"),
        ("--hidden", "0", "1..=256"),
        ("--hidden", "300", "1..=256"),
        ("--hidden", "-8", "1..=256"),
        ("--steps", "0", "1..="),
        ("--steps", "-5", "1..="),
        ("--steps", "99999999999999999", "1..="),
        ("--batch", "0", "1..="),
        ("--points", "0", "1..="),
        ("--points", "99999999999999999", "1..="),
    ] {
        let facts = [&format!("'{value}'"), option, range];
        assert_refused(&format!("train moons {option} {value}"), &facts);
    }
    assert_refused(
        "train moons --hidden 8,300",
        &["'300'", "--hidden", "1..=256"],
    );
    assert_refused("train moons --hidden 8,eight", &["'eight'", "--hidden"]);
    let deep = "train moons --hidden 8,8,8,8,8,8,8,8";
    assert_refused(deep, &["--hidden", "8 layers", "7"]);
    assert_refused(
        "train moons --points 1",
        &["too few rows to fit a flow: 1,", "too few", "20"],
    );
}

#[test]
fn learning_rate_is_above_0() {
    for rate in ["0", "-1", "NaN", "inf", "1e300", "fast"] {
        let line = format!("train moons --learning-rate {rate}");
        let quoted = format!("'{rate}'");
        assert_refused(&line, &[&quoted, "--learning-rate", "above 0", "such as"]);
    }
}

#[test]
fn names_that_are_not_known_bring_those_that_are() {
    assert_refused("train moons --model glow", &["'glow'", "--model"]);
    assert_refused("train moons --precision f64", &["'f64'", "--precision"]);
    assert_refused("paint moons", &["'paint'"]);
    assert_refused("train moons --colour red", &["'--colour'"]);
    let folder = folder_with_moons();
    let message = folder.fail("run moons.flow --board esp32");
    assert_tells(&message, &["esp32", "--board", "qemu-m4", "qemu-rv32"]);
}

#[test]
fn options_of_the_other_model_are_refused() {
    let steps = "train moons --steps-default 5";
    assert_refused(steps, &["--steps-default", "flow matching", "RealNVP"]);
    let layers = "train moons --model flow-matching --layers 3";
    assert_refused(layers, &["--layers", "RealNVP", "--hidden"]);
    let none = "train moons --model flow-matching --steps-default 0";
    assert_refused(none, &["'0'", "--steps-default", "1..=65535"]);
}

#[test]
fn options_of_tables_are_refused_for_toy_sets_and_the_reverse() {
    for option in [
        "--columns x",
        "--where x=1",
        "--context x",
        "--drop-missing",
    ] {
        let line = format!("train moons {option}");
        assert_refused(
            &line,
            &[option.split(' ').next().unwrap(), "moons is a toy set"],
        );
    }
    let folder = Folder::new();
    folder.write("data.csv", "a,b\n1,2\n");
    let message = folder.fail("train data.csv --points 50");
    assert_tells(&message, &["--points", "toy sets", "--where"]);
}

#[test]
fn samples_are_counted_from_1() {
    let folder = folder_with_flow_matching();
    for (option, value) in [
        ("-n", "0"),
        ("-n", "-1"),
        ("--steps", "0"),
        ("--steps", "65536"),
    ] {
        for command in ["sample", "run"] {
            let message = folder.fail(&format!("{command} moons.flow {option} {value}"));
            assert_tells(&message, &[&format!("'{value}'"), option, "1..="]);
        }
    }
}
