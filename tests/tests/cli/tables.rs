//! Tables that no flow can be fitted to.

use super::*;

/// Thirty rows of two columns that differ.
fn rows() -> Vec<Vec<f32>> {
    (0..30u8)
        .map(|i| vec![f32::from(i) / 4.0, f32::from(i % 7)])
        .collect()
}

/// `data.csv` with one more line.
fn table_and(line: &str) -> String {
    csv("a,b", &rows()) + line + "\n"
}

/// What `train data.csv` says of a file with that content.
#[track_caller]
fn message(content: impl AsRef<[u8]>, options: &str) -> String {
    let folder = Folder::new();
    folder.write("data.csv", content);
    let message = folder.fail(&format!("train data.csv --steps 5 {options}"));
    assert_tells(&message, &["data.csv"]);
    message
}

#[test]
fn what_is_no_table_is_named() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("folder")).unwrap();
    std::fs::create_dir(folder.path("folder.csv")).unwrap();
    folder.write("data.txt", table_and("1,2"));
    for (name, facts) in [
        ("missing.csv", vec!["No such file"]),
        ("folder", vec!["directory", "CSV or NPY"]),
        ("folder.csv", vec!["directory", "CSV or NPY"]),
        ("data.txt", vec![".csv", ".npy"]),
        ("moon", vec!["toy set", "moons, circles, gaussians"]),
    ] {
        let message = folder.fail(&format!("train {name}"));
        assert_tells(&message, &[name]);
        assert_tells(&message, &facts);
    }
}

#[test]
fn what_is_wrong_in_a_table_is_placed() {
    for (content, facts) in [
        (String::new(), vec!["empty"]),
        ("a,b\n".into(), vec!["no rows"]),
        (
            table_and("1,walking"),
            vec!["line 32", "column b", "walking", "--columns", "--context b"],
        ),
        (table_and("1,2,3"), vec!["line 32", "3 cells", "2"]),
        (table_and("1"), vec!["line 32", "1 cells", "2"]),
        (
            table_and("NaN,2"),
            vec![
                "line 32",
                "column a",
                "missing",
                "\"NaN\"",
                "--drop-missing",
            ],
        ),
        (
            table_and("?,2"),
            vec!["line 32", "column a", "missing", "\"?\"", "--drop-missing"],
        ),
        (
            table_and("1,\"2,5\""),
            vec!["line 32", "column b", "2,5", "decimal comma", "points"],
        ),
        (
            table_and("1,2,5"),
            vec!["line 32", "3 cells", "decimals with a point"],
        ),
        (
            table_and("1,"),
            vec!["line 32", "column b", "missing", "--drop-missing"],
        ),
        (table_and("1,inf"), vec!["line 32", "column b", "inf"]),
        (
            table_and("1e39,2"),
            vec!["line 32", "column a", "1e39", "3.4e38"],
        ),
        (csv("a,a", &rows()), vec!["two columns are called a"]),
    ] {
        assert_tells(&message(content, ""), &facts);
    }
    assert_tells(&message(b"a,b\n1,\xff\n", ""), &["line 2", "UTF-8"]);
}

#[test]
fn too_few_rows_and_constant_columns_are_refused() {
    let folder = Folder::new();
    folder.write("one.csv", csv("a,b", &rows()[..1]));
    assert_tells(
        &folder.fail("train one.csv"),
        &["too few rows to fit a flow: 1,", "too few", "20"],
    );
    let constant: Vec<_> = rows().iter().map(|row| vec![row[0], 5.0]).collect();
    folder.write("constant.csv", csv("a,b", &constant));
    let message = folder.fail("train constant.csv");
    assert_tells(&message, &["column b", "constant at 5", "--columns"]);
    let constant: Vec<_> = rows().iter().map(|row| vec![1.0, row[0], 5.0]).collect();
    folder.write("constants.csv", csv("a,b,c", &constant));
    let message = folder.fail("train constants.csv");
    assert_tells(&message, &["columns a (1), c (5)", "constant", "--columns"]);
}

#[test]
fn columns_and_rows_that_are_not_there_are_named() {
    let table = table_and("1,2");
    for (options, facts) in [
        ("--columns c", vec!["no column c", "a, b"]),
        ("--columns a..c", vec!["no column c", "a, b"]),
        ("--columns b..a", vec!["b comes after a", "a..b"]),
        ("--columns a,a", vec!["a is chosen twice"]),
        ("--columns a --context a", vec!["a is chosen twice"]),
        ("--context c", vec!["no column c", "a, b"]),
        ("--context a,b", vec!["no column is left", "--columns"]),
        ("--where c=1", vec!["no column c", "a, b"]),
        ("--where b=9", vec!["no row has b=9", "0, 1, 2"]),
        (
            "--columns a --where b=1 --where a=99",
            vec!["no row has b=1 and a=99"],
        ),
    ] {
        assert_tells(&message(&table, options), &facts);
    }
    let folder = Folder::new();
    folder.write("data.csv", table);
    let message = folder.fail("train data.csv --where b");
    assert_tells(&message, &["--where", "'b'", "COLUMN=VALUE"]);
}

#[test]
fn more_columns_than_a_model_takes_are_counted() {
    let wide = |columns: usize, cell: fn(usize, usize) -> String| {
        let header: Vec<String> = (0..columns).map(|i| format!("c{i}")).collect();
        let mut text = header.join(",") + "\n";
        for row in 0..40 {
            let cells: Vec<String> = (0..columns).map(|column| cell(row, column)).collect();
            text += &(cells.join(",") + "\n");
        }
        text
    };
    let number = |row: usize, column: usize| ((row * 7 + column * 3) % 11).to_string();
    assert_tells(
        &message(wide(65, number), ""),
        &["65 columns", "64", "--columns"],
    );
    let context = "--context c1..c33";
    assert_tells(
        &message(wide(34, number), context),
        &["33 context numbers", "32", "--context"],
    );
    let category = |row: usize, column: usize| match column {
        0 => row.to_string(),
        _ => format!("kind{}", row % 33),
    };
    let message = message(wide(2, category), "--context c1");
    assert_tells(&message, &["33 context numbers", "32", "merge categories"]);
}
