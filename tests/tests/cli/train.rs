//! `flowlet train` on toy sets and small tables.

use super::*;
use flowlet_tests::command::run;

/// What machines find in the report of a training, beside what `inspect` says.
const KEYS: [&str; 8] = [
    "file",
    "plot",
    "training_rows",
    "validation_rows",
    "training_loss",
    "validation_loss",
    "best_step",
    "seconds",
];

/// Figures of samples, each of which has a floor with its spread, a ratio to it, and how many spreads it
/// lies above.
const FIGURES: [&str; 4] = [
    "sliced_w2",
    "energy_distance",
    "squared_mmd",
    "two_sample_accuracy",
];

/// That all is told of a figure of samples.
fn assert_measured(report: &serde_json::Value, key: &str) {
    let parts = [
        "",
        "_floor",
        "_floor_std",
        "_ratio",
        "_deviations",
        "_f32",
        "_int8",
    ];
    for part in parts {
        let key = format!("{key}{part}");
        assert!(report[&key].is_number(), "{key}: {}", report[&key]);
    }
}

/// Two plots of 420 pixels, and what surrounds them.
const PLOT_WIDTHS: std::ops::RangeInclusive<u32> = 840..=1200;
/// A title, and two rows of captions, axes and plots of 200 pixels at the least.
const PLOT_HEIGHTS: std::ops::RangeInclusive<u32> = 500..=1200;

/// Trainings of both kinds on a table, which takes less time to evaluate than a toy set does.
const OF_A_TABLE: [&str; 2] = [
    "windows.csv --where activity=walking --steps 50 --layers 2 --hidden 8",
    "windows.csv --where activity=walking --steps 50 --hidden 8 --model flow-matching",
];

/// The file of a model, by so many threads.
fn model_of(training: &str, threads: Option<&str>) -> Vec<u8> {
    let folder = Folder::new();
    folder.write(
        "windows.csv",
        include_bytes!("../../data/imu_windows_train.csv"),
    );
    let mut command = folder.command(&format!("train {training} -o model.flow"));
    if let Some(threads) = threads {
        command.env("RAYON_NUM_THREADS", threads);
    }
    assert!(run(&mut command).status.success());
    folder.read("model.flow")
}

#[test]
fn report_has_its_keys_and_agrees_with_inspect() {
    let folder = Folder::new();
    let report = folder.json(&format!("train moons {TINY} --plot moons.png"));
    let likelihoods = ["nll", "exact_nll", "nats_lost", "nll_f32", "nll_int8"];
    for key in KEYS.iter().chain(&likelihoods) {
        assert!(!report[key].is_null(), "{key}");
    }
    for key in FIGURES {
        assert_measured(&report, key);
    }
    assert_eq!(report["file"], "moons.flow");
    assert_eq!(
        (&report["training_rows"], &report["validation_rows"]),
        (&450.into(), &50.into())
    );
    let mut inspected = folder.json("inspect moons.flow");
    // Which it alone tells.
    inspected.as_object_mut().unwrap().remove("boards");
    for (key, value) in inspected.as_object().unwrap() {
        assert_eq!(&report[key], value, "{key}");
    }
}

#[test]
fn flow_matching_reports_no_likelihood() {
    let folder = Folder::new();
    let report = folder.json(&format!(
        "train moons {TINY_FLOW_MATCHING} --plot moons.png"
    ));
    for key in KEYS {
        assert!(!report[key].is_null(), "{key}");
    }
    for key in FIGURES {
        assert_measured(&report, key);
    }
    assert!(report.get("nll").is_none());
    assert!(report["step_count"].is_number());
    assert_eq!(report["step_count"], report["default_steps"]);
}

#[test]
fn validation_rows_of_a_table_have_figures_and_baselines() {
    let folder = Folder::new();
    folder.copy("data/imu_windows_train.csv");
    let line = "train imu_windows_train.csv --columns logstd_ax..logstd_az --steps 50 --layers 2 \
                --hidden 8 -o imu.flow";
    let report = folder.json(line);
    for key in FIGURES {
        assert_measured(&report, key);
    }
    for key in ["nll", "gaussian_nll", "mixture_nll"] {
        for part in ["", "_median", "_carriers", "_without_carriers"] {
            let key = format!("{key}{part}");
            assert!(report[&key].is_number(), "{key}");
        }
    }
    // Four activities are no single Gaussian.
    let number = |key: &str| report[key].as_f64().unwrap();
    assert!(number("mixture_components") >= 4.0);
    assert!(number("mixture_nll") < number("gaussian_nll") - 0.5);
    assert!(report.get("exact_nll").is_none());
    let text = folder.succeed(line);
    assert_tells(
        &text,
        &["single Gaussian", "mixture of", "validation rows", "median"],
    );
}

#[test]
fn plot_is_a_picture_of_data_beside_samples() {
    let folder = Folder::new();
    folder.succeed(&format!("train moons {TINY} --plot moons.png"));
    let bytes = folder.read("moons.png");
    let decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    assert!(PLOT_WIDTHS.contains(&frame.width), "{}", frame.width);
    assert!(PLOT_HEIGHTS.contains(&frame.height), "{}", frame.height);
    let pixels: Vec<&[u8]> = pixels.chunks(3).collect();
    let width = frame.width as usize;
    // The samples' colour is warm, the data's is cold, and all else above is grey.
    let warmth = |pixel: &[u8]| i32::from(pixel[0]) - i32::from(pixel[2]);
    let above = &pixels[..pixels.len() / 2];
    let count = |half: usize, is: fn(i32) -> bool| {
        let here = above.iter().enumerate();
        let here = here.filter(|(index, _)| index % width * 2 / width == half);
        here.filter(|(_, pixel)| is(warmth(pixel))).count()
    };
    let cold: fn(i32) -> bool = |w| w < -40;
    let warm: fn(i32) -> bool = |w| w > 40;
    // 500 points of the data and 10,000 samples, of some pixels each.
    assert!(count(0, cold) > 2000, "{} of the data", count(0, cold));
    assert!(count(1, warm) > 2000, "{} of the samples", count(1, warm));
    assert_eq!((count(0, warm), count(1, cold)), (0, 0));
}

#[test]
fn equal_seeds_give_equal_files_and_others_do_not() {
    for training in OF_A_TABLE {
        let with_seed = |seed: u64| model_of(&format!("{training} --seed {seed}"), None);
        let first = with_seed(7);
        assert!(first == with_seed(7), "{training}");
        assert!(first != with_seed(8), "{training}");
    }
}

#[test]
fn threads_change_no_byte() {
    let of_a_toy_set = format!("gaussians {TINY}");
    for training in OF_A_TABLE.into_iter().chain([of_a_toy_set.as_str()]) {
        let one = model_of(training, Some("1"));
        for threads in ["2", "3"] {
            let other = model_of(training, Some(threads));
            assert!(one == other, "{training}, {threads} threads");
        }
    }
}

#[test]
fn every_toy_set_gives_a_file_of_its_name() {
    let folder = Folder::new();
    for name in ["moons", "circles", "gaussians"] {
        folder.succeed(&format!("train {name} {TINY}"));
        assert_eq!(folder.json(&format!("inspect {name}.flow"))["name"], name);
    }
}

#[test]
fn table_is_fitted_by_the_columns_and_rows_that_are_asked_for() {
    let folder = Folder::new();
    let rows = (0..40).map(|i| {
        let kind = ["walk", "run"][i % 2];
        format!("{i},{},{},{kind},{}\n", i * i, (i * 7) % 10, i % 3)
    });
    folder.write(
        "imu.csv",
        rows.fold("a,b,c,kind,level\n".into(), |text: String, row| text + &row),
    );
    let tiny = "--steps 20 --layers 2 --hidden 4";
    let labels = |options: &str| {
        let report = folder.json(&format!("train imu.csv {tiny} {options}"));
        let labels = report["labels"].as_array().unwrap().clone();
        let labels: Vec<String> = labels.iter().map(|l| l.as_str().unwrap().into()).collect();
        (labels.join(","), report["training_rows"].as_u64().unwrap())
    };
    assert_eq!(labels("--columns a..c"), ("a,b,c".into(), 36));
    assert_eq!(labels("--columns c,a --where kind=run"), ("c,a".into(), 18));
    assert_eq!(labels("--where kind=walk"), ("a,b,c,level".into(), 18));
    assert_eq!(
        labels("--context kind,level"),
        ("a,b,c,kind=run,kind=walk,level".into(), 36)
    );
    assert_eq!(folder.json("inspect imu.flow")["context_dim"], 3);
}

#[test]
fn npy_is_fitted_like_the_csv_of_the_same_numbers() {
    let rows: Vec<Vec<f32>> = (0..50u8)
        .map(|i| vec![f32::from(i).sin(), f32::from(i).sqrt()])
        .collect();
    let folder = Folder::new();
    folder.write("data.npy", npy(&rows));
    folder.write("data.csv", csv("x0,x1", &rows));
    let tiny = "--steps 20 --layers 2 --hidden 4";
    folder.succeed(&format!("train data.npy {tiny} -o npy.flow"));
    folder.succeed(&format!("train data.csv {tiny} -o csv.flow"));
    assert!(folder.read("npy.flow") == folder.read("csv.flow"));
}

#[test]
fn few_rows_say_nothing_of_steps() {
    let rows: Vec<Vec<f32>> = (0..20u8).map(|i| vec![f32::from(i).sin()]).collect();
    let folder = Folder::new();
    folder.write("few.csv", csv("x", &rows));
    let line = "train few.csv --model flow-matching --steps 20 --hidden 4";
    let text = folder.succeed(line);
    assert_tells(
        &text,
        &["default steps", "100, as there are too few validation rows"],
    );
    assert!(!text.contains("NaN"), "{text}");
}

#[test]
fn picture_is_of_a_kind_that_can_be_drawn() {
    let folder = Folder::new();
    for name in ["moons.jpg", "moons.pdf"] {
        let message = folder.fail(&format!("train moons {TINY} --plot {name}"));
        assert_tells(&message, &[name, ".png", ".svg"]);
    }
}

#[test]
fn numbers_that_f32_does_not_keep_apart_are_told() {
    let folder = Folder::new();
    let rows = (0..40).map(|i| format!("{},{}\n", 1_700_000_000 + i * 60, i * i % 37));
    folder.write("imu.csv", "time,x\n".to_owned() + &rows.collect::<String>());
    let output = run(&mut folder.command("train imu.csv --steps 5 --layers 2 --hidden 4"));
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_tells(&said, &["note: column time", "imu.csv", "128", "--columns"]);
    assert!(!said.contains("column x"), "{said}");
}

#[test]
fn numbered_categories_are_found_in_the_table_again() {
    let folder = Folder::new();
    let rows = (0..40).map(|i| format!("{i},{},{}\n", i * i % 37, ["walk", "run"][i % 2]));
    folder.write("imu.csv", rows.collect::<String>());
    let train = "train imu.csv --context 2 --steps 5 --layers 2 --hidden 4";
    assert!(run(&mut folder.command(train)).status.success());
    let output = run(&mut folder.command("score imu.flow imu.csv --json"));
    assert!(output.status.success());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["rows"], 40);
}
