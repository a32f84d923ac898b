//! `flowlet sample`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use super::*;
use flowlet_tests::command::run;
use flowlet_tests::golden::{FLOW_MATCHING, FlowMatchingRow, REAL_NVP, RealNvpRow, rows};
use flowlet_tests::tolerance::Tolerance;
use flowlet_trainer::inference::{noise, transport};
use flowlet_trainer::model_file::ModelFile;
use ndarray::Array2;

/// What f32 loses against the golden values' f64 along a whole flow.
const TOLERANCE: Tolerance = Tolerance::both(2e-5);

/// A folder with the model of a golden file, `model.flow`.
fn folder_with_golden(name: &str) -> Folder {
    let folder = Folder::new();
    folder.copy(&format!("golden/{name}.safetensors"));
    folder.succeed(&format!(
        "import {name}.safetensors --precision f32 -o model.flow"
    ));
    folder
}

/// Noise as a table, the context's numbers last.
fn latents<'a>(rows: impl Iterator<Item = (&'a [f32], &'a [f32])>) -> String {
    let rows: Vec<Vec<f32>> = rows
        .map(|(noise, context)| [noise, context].concat())
        .collect();
    let header: Vec<String> = (0..rows[0].len()).map(|i| format!("column{i}")).collect();
    csv(&header.join(","), &rows)
}

#[track_caller]
fn assert_samples<'a>(printed: &str, expected: impl Iterator<Item = &'a [f64]>) {
    let (_, samples) = numbers(printed);
    let expected: Vec<&[f64]> = expected.collect();
    assert_eq!(samples.len(), expected.len());
    for (row, (sample, expected)) in samples.iter().zip(expected).enumerate() {
        TOLERANCE.assert_near(format_args!("row {row}"), sample, expected);
    }
}

#[test]
fn real_nvp_maps_latents_as_the_golden_files_do() {
    for name in REAL_NVP {
        let folder = folder_with_golden(name);
        let rows: Vec<RealNvpRow> = rows(name);
        let noise = rows.iter().map(|row| (&*row.inverse_of, &*row.context));
        folder.write("latents.csv", latents(noise));
        let samples = folder.succeed("sample model.flow --latents latents.csv");
        assert_samples(&samples, rows.iter().map(|row| &*row.inverse));
    }
}

#[test]
fn flow_matching_maps_latents_as_the_golden_files_do() {
    for name in FLOW_MATCHING {
        let folder = folder_with_golden(name);
        let rows: Vec<FlowMatchingRow> = rows(name);
        let noise = rows.iter().map(|row| (&*row.x0, &*row.context));
        folder.write("latents.csv", latents(noise));
        for steps in [1, 4, 100] {
            let line = format!("sample model.flow --latents latents.csv --steps {steps}");
            let samples = folder.succeed(&line);
            assert_samples(&samples, rows.iter().map(|row| &*row.euler[&steps]));
        }
    }
}

#[test]
fn latents_may_be_npy() {
    let folder = folder_with_moons();
    let rows = vec![vec![0.5, -1.25], vec![2.0, 0.0]];
    folder.write("latents.csv", csv("a,b", &rows));
    folder.write("latents.npy", npy(&rows));
    let from_csv = folder.succeed("sample moons.flow --latents latents.csv");
    assert_eq!(
        folder.succeed("sample moons.flow --latents latents.npy"),
        from_csv
    );
}

#[test]
fn latents_of_another_width_are_refused() {
    let folder = folder_with_golden("real_nvp_3d_context");
    folder.write("narrow.csv", "x,y,z\n1,2,3\n");
    let message = folder.fail("sample model.flow --latents narrow.csv");
    assert_tells(
        &message,
        &["narrow.csv", "3 columns", "3, then 2 of context"],
    );
    folder.write("latents.csv", "a,b,c,d,e\n1,2,3,4,5\n");
    for option in ["-n 5", "--seed 1", "--context 1,2"] {
        let line = format!("sample model.flow --latents latents.csv {option}");
        assert_tells(&folder.fail(&line), &["--latents", "cannot be used"]);
    }
}

#[test]
fn samples_are_as_many_as_asked_for_under_their_names() {
    let folder = folder_with_moons();
    let printed = folder.succeed("sample moons.flow -n 12");
    let (header, rows) = numbers(&printed);
    assert_eq!((header, rows.len()), ("x,y", 12));
    assert!(rows.iter().all(|row| row.len() == 2));
    let printed = folder.succeed("sample moons.flow");
    assert_eq!(numbers(&printed).1.len(), 1000);
}

/// More than are in memory at a time.
#[test]
fn samples_go_on_where_the_last_batch_ended() {
    let folder = folder_with_moons();
    let n = 40_000;
    let printed = folder.succeed(&format!("sample moons.flow -n {n} --seed 3"));
    let file = ModelFile::read(&folder.path("moons.flow")).unwrap();
    let context = Array2::zeros((n, 0));
    let samples = transport(&file.model().unwrap(), &noise(n, 2, 3), &context, None).unwrap();
    let (_, printed) = numbers(&printed);
    assert_eq!(printed.len(), n);
    for (printed, sample) in printed.iter().zip(samples.rows()) {
        assert_eq!(Some(printed.as_slice()), sample.as_slice());
    }
    let rows: Vec<Vec<f32>> = noise(n, 2, 3)
        .rows()
        .into_iter()
        .map(|row| row.to_vec())
        .collect();
    folder.write("latents.npy", npy(&rows));
    let line = "sample moons.flow --latents latents.npy";
    assert_eq!(numbers(&folder.succeed(line)).1, printed);
}

#[test]
fn seed_decides_the_samples() {
    for folder in [folder_with_moons(), folder_with_flow_matching()] {
        let with_seed = |seed: u64| folder.succeed(&format!("sample moons.flow --seed {seed}"));
        let first = with_seed(3);
        assert_eq!(first, with_seed(3));
        assert_ne!(first, with_seed(4));
    }
}

#[test]
fn file_holds_what_would_be_printed() {
    let folder = folder_with_moons();
    assert_eq!(folder.succeed("sample moons.flow -n 20 -o samples.csv"), "");
    assert_eq!(
        folder.text("samples.csv"),
        folder.succeed("sample moons.flow -n 20")
    );
}

#[test]
fn rows_are_left_out_of_latents_alone() {
    let folder = folder_with_moons();
    let message = folder.fail("sample moons.flow --drop-missing");
    assert_tells(&message, &["--drop-missing", "--latents"]);
    folder.write("latents.csv", "p,q\n0.5,-1\n,2\n");
    let line = "sample moons.flow --latents latents.csv --drop-missing";
    let output = run(&mut folder.command(line));
    assert!(output.status.success(), "{output:?}");
    let (printed, said) = [output.stdout, output.stderr]
        .map(|text| String::from_utf8(text).unwrap())
        .into();
    assert_eq!(numbers(&printed).1.len(), 1);
    assert_tells(&said, &["1 of 2 rows of latents.csv were dropped"]);
}

#[test]
fn steps_are_for_flow_matching_alone() {
    let folder = folder_with_flow_matching();
    let own = folder.succeed("sample moons.flow -n 5");
    let count = folder.json("inspect moons.flow")["step_count"].clone();
    let with_steps =
        |count: &str| folder.succeed(&format!("sample moons.flow -n 5 --steps {count}"));
    assert_eq!(with_steps(&count.to_string()), own);
    assert_ne!(with_steps("77"), own);
    let message = folder_with_moons().fail("sample moons.flow --steps 3");
    assert_tells(&message, &["RealNVP", "--steps"]);
}

#[test]
fn context_without_names_is_given_by_numbers() {
    let folder = folder_with_golden("real_nvp_3d_context");
    let first = folder.succeed("sample model.flow -n 5 --context -0.5,2");
    assert_eq!(
        folder.succeed("sample model.flow -n 5 --context -0.5 --context 2"),
        first
    );
    assert_ne!(
        folder.succeed("sample model.flow -n 5 --context 0.5,2"),
        first
    );
    for (context, facts) in [
        ("", vec!["takes a context", "--context NUMBER,NUMBER"]),
        ("--context 1", vec!["is 1", "takes 2", "NUMBER,NUMBER"]),
        ("--context 1,2,3", vec!["is 3", "takes 2"]),
        ("--context 1,NaN", vec!["NaN", "not a finite number"]),
        ("--context 1,fast", vec!["fast", "not a finite number"]),
        ("--context speed=1,2", vec!["no names", "NUMBER,NUMBER"]),
    ] {
        let message = folder.fail(&format!("sample model.flow {context}"));
        assert_tells(&message, &facts);
    }
    let message = folder_with_moons().fail("sample moons.flow --context 1");
    assert_tells(&message, &["takes no context", "--context"]);
}

#[test]
fn context_with_names_is_given_by_names_or_numbers() {
    let folder = Folder::new();
    let rows = (0..40).map(|i| {
        format!(
            "{i},{},{},{}\n",
            (i * 7) % 10,
            ["run", "walk"][i % 2],
            i % 3
        )
    });
    folder.write(
        "imu.csv",
        rows.fold("a,b,kind,level\n".into(), |text: String, row| text + &row),
    );
    folder.succeed("train imu.csv --context kind,level --steps 20 --layers 2 --hidden 4");
    let walk = folder.succeed("sample imu.flow -n 5 --context kind=walk,level=2");
    for equal in ["level=2,kind=walk", "0,1,2", "walk,level=2", "level=2,walk"] {
        let line = format!("sample imu.flow -n 5 --context {equal}");
        assert_eq!(folder.succeed(&line), walk, "{equal}");
    }
    assert_ne!(
        folder.succeed("sample imu.flow -n 5 --context kind=run,level=2"),
        walk
    );
    for (context, facts) in [
        ("", vec!["--context kind=run|walk,level=NUMBER"]),
        ("--context kind=walk", vec!["lacks level", "level=NUMBER"]),
        ("--context level=1", vec!["lacks kind", "kind=run|walk"]),
        (
            "--context kind=swim,level=1",
            vec!["no kind=swim", "run, walk"],
        ),
        (
            "--context kind=walk,height=1",
            vec!["no height", "kind=run|walk,level=NUMBER"],
        ),
        (
            "--context kind=walk,level=high",
            vec!["high", "not a finite number"],
        ),
        ("--context kind=walk,1", vec!["1 lacks its name"]),
        ("--context kind=walk,kind=run,level=1", vec!["kind twice"]),
        ("--context level=1,level=2,kind=run", vec!["level twice"]),
        ("--context walk,run,level=1", vec!["kind twice"]),
        ("--context walk", vec!["lacks level", "level=NUMBER"]),
        ("--context walk,1", vec!["1 lacks its name"]),
        ("--context swim,level=1", vec!["swim lacks its name"]),
        ("--context walk,,level=1", vec!["--context", "empty item"]),
    ] {
        assert_tells(&folder.fail(&format!("sample imu.flow {context}")), &facts);
    }
}

#[test]
fn category_of_several_columns_needs_its_name() {
    let folder = Folder::new();
    let row = |i: usize| {
        let (hand, foot) = (["left", "right"][i % 2], ["left", "a, b"][i / 2 % 2]);
        format!("{i},{},{hand},\"{foot}\"\n", (i * 7) % 10)
    };
    let rows: String = (0..40).map(row).collect();
    folder.write("hands.csv", format!("a,b,hand,\"foot, bare\"\n{rows}"));
    let options = "--steps 20 --layers 2 --hidden 4";
    let mut command = folder.command(&format!("train hands.csv {options} --context"));
    assert!(run(command.arg("hand,\"foot, bare\"")).status.success());
    let sample = |context: &str| {
        let output = run(folder
            .command("sample hands.flow -n 3")
            .args(["--context", context]));
        (output.status.success(), output)
    };
    let (succeeded, by_name) = sample("hand=left,\"foot, bare=a, b\"");
    assert!(succeeded);
    // Only one column has the category with a comma.
    let (succeeded, by_value) = sample("hand=left,\"a, b\"");
    assert!(succeeded);
    assert_eq!(by_value.stdout, by_name.stdout);
    let (succeeded, refused) = sample("left,\"a, b\"");
    assert!(!succeeded);
    let message = String::from_utf8(refused.stderr).unwrap();
    assert_tells(
        &message,
        &["several columns", "hand=left or foot, bare=left"],
    );
    let message = folder.fail("sample hands.flow");
    assert_tells(&message, &["hand=left|right", r#"'"foot, bare=a, b"'"#]);
}

#[test]
fn reader_that_has_enough_ends_the_output_quietly() {
    let folder = folder_with_moons();
    let mut command = folder.command("sample moons.flow -n 100000");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "x,y\n");
    drop(reader);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
