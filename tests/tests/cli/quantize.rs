//! `flowlet quantize`, and int8 models from `train` and `import`.

use super::*;

/// Nats that a tiny model may lose: its nets are smooth.
const MOST_LOST: f64 = 0.002;

/// A folder with a tiny RealNVP in `f32`, `moons.flow`, and its log-probability of some points.
fn folder_with_float() -> Folder {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    folder_with(FILE.get_or_init(|| trained(&format!("{TINY} --precision f32"))))
}

#[test]
fn quantized_model_is_smaller_and_as_good() {
    let folder = folder_with_float();
    let before = folder.json("inspect moons.flow");
    assert_eq!(before["precision"], "f32");
    let report = folder.json("quantize moons.flow -o int8.flow");
    assert_eq!(report["precision"], "int8");
    assert!(report["nats_lost"].as_f64().unwrap().abs() <= MOST_LOST);
    let after = folder.json("inspect int8.flow");
    // What boards take is for inspect alone.
    let facts = after.as_object().unwrap().iter();
    for (key, value) in facts.filter(|(key, _)| *key != "boards") {
        assert_eq!(&report[key], value, "{key}");
    }
    for key in ["name", "kind", "labels", "hidden", "parameters"] {
        assert_eq!(before[key], after[key], "{key}");
    }
    assert!(after["bytes"].as_u64() < before["bytes"].as_u64());
    let text = folder.succeed("quantize moons.flow -o int8.flow");
    let facts = ["nats lost", "sliced W2", "energy distance"].map(|fact| format!("{fact} by int8"));
    assert_tells(&text, &facts.each_ref().map(String::as_str));
}

#[test]
fn a_high_loss_is_called_so() {
    let folder = Folder::new();
    folder.copy("golden/real_nvp_5d.safetensors");
    // Random weights, and rows where no such flow has any density to speak of.
    let rows: Vec<Vec<f32>> = (0..50u8).map(|i| vec![50.0 + f32::from(i); 5]).collect();
    folder.write("rows.npy", npy(&rows));
    let import = "import real_nvp_5d.safetensors --data rows.npy -o flow.flow";
    assert!(folder.json(import)["nats_lost"].as_f64().unwrap() > 0.01);
    assert_tells(&folder.succeed(import), &["a high loss", "--precision f32"]);
}

#[test]
fn a_loss_beyond_all_numbers_is_not_known() {
    let folder = folder_with_float();
    folder.write("far.csv", "x,y\n1,0\n1e30,1e30\n");
    let quantize = "quantize moons.flow --data far.csv -o int8.flow";
    let report = folder.json(quantize);
    assert_eq!(
        (&report["nats_lost"], &report["nll_f32"]),
        (&"NaN".into(), &"inf".into())
    );
    assert_tells(&folder.succeed(quantize), &["not known", "leave those out"]);
}

#[test]
fn place_for_the_file_is_looked_at_first() {
    let folder = folder_with_float();
    folder.copy("golden/real_nvp_2d.safetensors");
    for line in ["quantize moons.flow", "import real_nvp_2d.safetensors"] {
        let message = folder.fail(&format!("{line} --data missing.csv -o nowhere/int8.flow"));
        assert_tells(&message, &["nowhere/int8.flow"]);
    }
}

#[test]
fn a_filter_may_stand_beside_columns_without_names() {
    let folder = Folder::new();
    folder.copy("golden/real_nvp_2d.safetensors");
    folder.write("points.csv", "kind,u,v\na,1,2\nb,2,1\na,0,1\n");
    let import = "import real_nvp_2d.safetensors --data points.csv --where kind=a -o flow.flow";
    assert_tells(&folder.succeed(import), &["2 rows of points.csv"]);
}

#[test]
fn training_gives_int8_unless_told_otherwise() {
    let folder = Folder::new();
    let report = folder.json(&format!("train moons {TINY}"));
    assert_eq!(report["precision"], "int8");
    assert!(report["nats_lost"].as_f64().unwrap().abs() <= MOST_LOST);
    let lost = report["nll_int8"].as_f64().unwrap() - report["nll_f32"].as_f64().unwrap();
    assert_eq!(report["nats_lost"].as_f64(), Some(lost));
    // The same points in the same precision, by another way.
    assert_eq!(report["nll_int8"], report["nll"]);
    let report = folder.json(&format!("train moons {TINY} --precision f32"));
    assert!(report.get("nats_lost").is_none());
}

#[test]
fn integers_are_not_quantized_again() {
    let folder = folder_with_moons();
    let message = folder.fail("quantize moons.flow -o int8.flow");
    assert_tells(&message, &["moons.flow", "int8 already", "--precision f32"]);
}

#[test]
fn files_that_are_read_are_not_written_over() {
    let folder = folder_with_float();
    folder.write("points.csv", "x,y\n1,2\n");
    let over_model = folder.fail("quantize moons.flow -o moons.flow");
    assert_tells(&over_model, &["moons.flow", "choose another name"]);
    let over_data = folder.fail("quantize moons.flow --data points.csv -o points.csv");
    assert_tells(&over_data, &["points.csv", "choose another name"]);
}

#[test]
fn rows_to_calibrate_on_are_found_by_name_and_value() {
    let folder = folder_with_float();
    let rows = (0..60).map(|i| {
        format!(
            "{},{},{}\n",
            i % 2,
            0.1 * f64::from(i % 7),
            "ab"[i as usize % 2..][..1].to_owned()
        )
    });
    folder.write(
        "points.csv",
        rows.fold("y,x,kind\n".into(), |text: String, row| text + &row),
    );
    let all = folder.succeed("quantize moons.flow --data points.csv -o all.flow");
    assert_tells(&all, &["60 rows of points.csv"]);
    let some = folder.succeed("quantize moons.flow --data points.csv --where kind=a -o some.flow");
    assert_tells(&some, &["30 rows of points.csv"]);
    assert!(folder.read("all.flow") != folder.read("some.flow"));
    let none = folder.fail("quantize moons.flow --data points.csv --where kind=c -o none.flow");
    assert_tells(&none, &["points.csv", "kind=c", "a, b"]);
    folder.write("other.csv", "x,z\n1,2\n");
    let other = folder.fail("quantize moons.flow --data other.csv -o other.flow");
    assert_tells(&other, &["other.csv", "the model reads y"]);
    let alone = folder.fail("quantize moons.flow --where kind=a -o none.flow");
    assert_tells(&alone, &["--data"]);
}

#[test]
fn context_asks_for_rows() {
    let folder = Folder::new();
    folder.copy("golden/flow_matching_4d_context.safetensors");
    let import = "import flow_matching_4d_context.safetensors -o flow.flow";
    assert_tells(&folder.fail(import), &["context", "--data", "f32"]);
    let rows: Vec<Vec<f32>> = (0..100u16)
        .map(|i| (0..7).map(|j| (f32::from(i * 7 + j)).sin()).collect())
        .collect();
    folder.write("rows.npy", npy(&rows));
    let report = folder.json(&format!("{import} --data rows.npy"));
    assert_eq!(report["precision"], "int8");
    assert!(report.get("nats_lost").is_none());
    assert!(report["sliced_w2_int8"].is_number());
    let both = folder.fail(&format!("{import} --precision f32 --data rows.npy"));
    assert_tells(&both, &["--data", "int8"]);
}
