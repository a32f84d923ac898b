//! Tables in all the ways in which they may come.

use std::io::Write;
use std::process::{Output, Stdio};

use super::*;
use flowlet_tests::command::run;

/// Options for a model that is fitted in no time.
const TINY: &str = "--steps 5 --layers 2 --hidden 4 -o model.flow";

/// Forty rows of two columns of numbers and one of categories.
fn rows() -> Vec<[String; 3]> {
    let row = |i: usize| {
        let number = i as f32 / 4.0;
        let kind = ["run", "walk"][i % 2];
        [number.to_string(), ((i * 7) % 10).to_string(), kind.into()]
    };
    (0..40).map(row).collect()
}

/// A table of `rows` with this delimiter, under a header if there is one.
fn table(header: &str, rows: &[[String; 3]], delimiter: &str) -> String {
    let lines = rows.iter().map(|row| row.join(delimiter) + "\n");
    let header = match header {
        "" => String::new(),
        names => names.replace(',', delimiter) + "\n",
    };
    header + &lines.collect::<String>()
}

fn piped(folder: &Folder, line: &str, input: &[u8]) -> Output {
    let mut command = folder.command(line);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "flowlet {line}\n{said}");
    output
}

#[track_caller]
fn assert_notes(output: &Output, notes: &[&str]) {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(output.status.success(), "{said}");
    assert_eq!(said.lines().collect::<Vec<_>>(), notes);
}

#[test]
fn delimiter_is_no_matter() {
    let folder = Folder::new();
    let mut files = Vec::new();
    for (name, delimiter) in [("data.csv", ","), ("data.csv", ";"), ("data.tsv", "\t")] {
        folder.write(name, table("a,b,kind", &rows(), delimiter));
        folder.succeed(&format!("train {name} --context kind {TINY}"));
        files.push(folder.read("model.flow"));
    }
    assert!(files.iter().all(|file| *file == files[0]));
}

#[test]
fn lacking_header_is_told() {
    let folder = Folder::new();
    folder.write("data.csv", table("", &rows(), ","));
    let line = format!("train data.csv --columns 0,1 --context 2 {TINY}");
    let told = "note: data.csv has no header: columns are 0, 1, 2";
    assert_notes(&run(&mut folder.command(&line)), &[told]);
    let summary = folder.json("inspect model.flow");
    assert_eq!(summary["labels"][0], "x0");
    assert_eq!(summary["labels"][2], "x2=run");
    // Named and not named, it is the same table.
    folder.write("named.csv", table("x0,x1,x2", &rows(), ","));
    folder.write("data.npy", npy(&[vec![1.0, 2.0, 0.0, 1.0]]));
    assert_eq!(folder.json("score model.flow named.csv")["rows"], 40);
    assert_eq!(folder.json("score model.flow data.npy")["rows"], 1);
}

#[test]
fn standard_input_is_a_table_everywhere() {
    let folder = Folder::new();
    let text = table("a,b,kind", &rows(), ",");
    folder.write("stdin.csv", &text);
    folder.succeed(&format!("train stdin.csv --columns a,b {TINY}"));
    let model = folder.read("model.flow");
    piped(
        &folder,
        &format!("train - --columns a,b {TINY}"),
        text.as_bytes(),
    );
    assert!(folder.read("model.flow") == model);

    let scores = folder.succeed("score model.flow stdin.csv -o expected.csv");
    let output = piped(&folder, "score model.flow - -o scores.csv", text.as_bytes());
    assert_eq!(output.stdout, scores.as_bytes());
    assert_eq!(folder.text("scores.csv"), folder.text("expected.csv"));

    let latents = "p,q\n0.5,-1\n0.25,2\n";
    folder.write("latents.csv", latents);
    let samples = folder.succeed("sample model.flow --latents latents.csv");
    let output = piped(&folder, "sample model.flow --latents -", latents.as_bytes());
    assert_eq!(output.stdout, samples.as_bytes());

    folder.succeed(&format!(
        "train stdin.csv --columns a,b {TINY} --precision f32"
    ));
    folder.succeed("quantize model.flow --data stdin.csv -o expected.flow");
    let line = "quantize model.flow --data - -o quantized.flow";
    piped(&folder, line, text.as_bytes());
    assert!(folder.read("quantized.flow") == folder.read("expected.flow"));

    let bytes = npy(&[vec![0.5, -1.0], vec![0.25, 2.0]]);
    let output = piped(&folder, "score model.flow - --json", &bytes);
    assert_tells(&String::from_utf8(output.stdout).unwrap(), &["\"rows\": 2"]);
}

#[test]
fn standard_input_without_a_table_is_named() {
    // `fail` runs without any input.
    let message = Folder::new().fail("train -");
    assert_tells(&message, &["stdin", "empty"]);
}

#[test]
fn rows_with_missing_values_are_dropped_and_counted() {
    let folder = Folder::new();
    let mut with_holes = rows();
    for (row, missing) in [(0, ""), (7, "NA"), (8, "nan"), (20, "null"), (39, "?")] {
        with_holes[row][row % 2] = missing.into();
    }
    folder.write("data.csv", table("a,b,kind", &with_holes, ","));
    let refused = folder.fail(&format!("train data.csv --columns a,b {TINY}"));
    assert_tells(&refused, &["line 2, column a", "missing", "--drop-missing"]);

    let told = "note: 5 of 40 rows of data.csv were dropped, since they lack a value";
    let line = format!("train data.csv --columns a,b --drop-missing {TINY}");
    assert_notes(&run(&mut folder.command(&line)), &[told]);
    let with_drop = folder.read("model.flow");
    let mut whole = rows();
    for row in [39, 20, 8, 7, 0] {
        whole.remove(row);
    }
    folder.write("data.csv", table("a,b,kind", &whole, ","));
    folder.succeed(&format!("train data.csv --columns a,b {TINY}"));
    assert!(folder.read("model.flow") == with_drop);

    folder.write("data.csv", table("a,b,kind", &with_holes, ","));
    let line = "score model.flow data.csv -o scores.csv --drop-missing";
    assert_notes(&run(&mut folder.command(line)), &[told]);
    let scores = folder.text("scores.csv");
    assert_eq!(scores.lines().count(), 1 + 35);
    assert!(scores.lines().nth(1).unwrap().starts_with("0.25,7,walk,"));
    assert!(scores.lines().last().unwrap().starts_with("9.5,6,run,"));

    let mut empty = rows();
    empty.iter_mut().for_each(|row| row[0] = "NA".into());
    folder.write("data.csv", table("a,b,kind", &empty, ","));
    let message = folder.fail(&format!(
        "train data.csv --columns a,b --drop-missing {TINY}"
    ));
    assert_tells(&message, &["none of the 40 rows has all", "--columns"]);
}

#[test]
fn names_with_a_comma_are_quoted() {
    let folder = Folder::new();
    let named = table("A,c,kind", &rows(), ",").replacen('A', "\"a, b\"", 1);
    folder.write("data.csv", named);
    let train = |columns: &[&str]| {
        let mut command = folder.command(&format!("train data.csv {TINY}"));
        let output = run(command.args(columns));
        String::from_utf8(output.stderr).unwrap()
    };
    for columns in [
        &["--columns", "\"a, b\",c"][..],
        &["--columns", "\"a, b\"", "--columns", "c"],
        &["--columns", "\"a, b..c\""],
    ] {
        assert_eq!(train(columns), "");
        assert_eq!(folder.json("inspect model.flow")["labels"][0], "a, b");
    }
    assert_tells(&train(&["--columns", "a, b"]), &["there is no column a:"]);
    assert_tells(&train(&["--columns", "c,"]), &["--columns", "empty item"]);
}
