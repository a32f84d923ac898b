//! `flowlet score`.

use super::*;
use flowlet_trainer::inference::log_probs;
use flowlet_trainer::model_file::ModelFile;
use ndarray::Array2;

/// Points for the moons, some of them far off.
fn points() -> Vec<Vec<f32>> {
    vec![
        vec![1.0, 0.0],
        vec![-0.25, 0.8],
        vec![1.5, -0.5],
        vec![9.0, 9.0],
    ]
}

/// What the library says of `points`.
fn expected(folder: &Folder, points: &[Vec<f32>]) -> Vec<f32> {
    let file = ModelFile::read(&folder.path("moons.flow")).unwrap();
    let points = Array2::from_shape_fn((points.len(), 2), |(row, column)| points[row][column]);
    let context = Array2::zeros((points.nrows(), 0));
    log_probs(&file.model().unwrap(), &points, &context).unwrap()
}

/// The last column of a table, `log_prob`.
fn scores(folder: &Folder, data: &str) -> Vec<f32> {
    folder.succeed(&format!("score moons.flow {data} -o scores.csv"));
    let text = folder.text("scores.csv");
    let mut lines = text.lines();
    assert!(lines.next().unwrap().ends_with(",log_prob"));
    lines
        .map(|line| line.rsplit(',').next().unwrap().parse().unwrap())
        .collect()
}

#[test]
fn scores_stand_beside_the_columns_of_the_table() {
    let folder = folder_with_moons();
    folder.write(
        "points.csv",
        "name,y,x,note\nA,0,1,\nB,0.8,-0.25,\"so, so\"\n",
    );
    assert_eq!(
        scores(&folder, "points.csv"),
        expected(&folder, &points()[..2])
    );
    let table = folder.text("scores.csv");
    let without_scores: Vec<_> = table
        .lines()
        .map(|line| line.rsplit_once(',').unwrap().0)
        .collect();
    assert_eq!(
        without_scores,
        ["name,y,x,note", "A,0,1,", "B,0.8,-0.25,\"so, so\""]
    );
}

#[test]
fn scores_are_the_library_s_to_the_bit() {
    let folder = folder_with_moons();
    folder.write("points.csv", csv("x,y", &points()));
    assert_eq!(scores(&folder, "points.csv"), expected(&folder, &points()));
}

#[test]
fn npy_is_scored_by_the_order_of_its_columns() {
    let folder = folder_with_moons();
    folder.write("points.npy", npy(&points()));
    assert_eq!(scores(&folder, "points.npy"), expected(&folder, &points()));
    assert!(
        folder
            .text("scores.csv")
            .starts_with("x0,x1,log_prob\n1,0,")
    );
}

#[test]
fn old_scores_give_way_to_new_ones() {
    let folder = folder_with_moons();
    folder.write("points.csv", "x,log_prob,y\n1,-1000,0\n");
    assert_eq!(
        scores(&folder, "points.csv"),
        expected(&folder, &points()[..1])
    );
    assert!(folder.text("scores.csv").starts_with("x,y,log_prob\n"));
}

#[test]
fn summary_is_of_the_scores() {
    let folder = folder_with_moons();
    folder.write("points.csv", csv("x,y", &points()));
    let summary = folder.json("score moons.flow points.csv");
    let mut sorted = expected(&folder, &points());
    sorted.sort_by(f32::total_cmp);
    let number = |key: &str| summary[key].as_f64().unwrap();
    assert_eq!(summary["rows"], 4);
    // Four ranks from 0: a quantile is the nearest, the median of four the upper middle.
    for (key, rank) in [
        ("min", 0),
        ("q01", 0),
        ("q05", 0),
        ("median", 2),
        ("max", 3),
    ] {
        assert_eq!(number(key) as f32, sorted[rank], "{key}");
    }
    let mean = sorted.iter().map(|p| f64::from(*p)).sum::<f64>() / 4.0;
    // The sum's order may differ.
    assert!((number("mean") - mean).abs() <= 1e-12 * mean.abs());
    let text = folder.succeed("score moons.flow points.csv");
    assert_tells(
        &text,
        &[
            "rows",
            "mean log_prob",
            "lowest",
            "median",
            "highest",
            "nats",
        ],
    );
}

#[test]
fn what_is_not_finite_is_counted_and_told_as_text() {
    let folder = folder_with_moons();
    folder.write("far.csv", "x,y\n1,0\n1e30,1e30\n");
    assert!(!scores(&folder, "far.csv")[1].is_finite());
    let report = folder.json("score moons.flow far.csv");
    assert_eq!(report["not_finite"], 1);
    assert!(report["mean"].is_string(), "{}", report["mean"]);
}

#[test]
fn category_in_a_column_of_its_own_is_the_context() {
    let folder = Folder::new();
    let rows = (0..40).map(|i| format!("{i},{},{}\n", (i * 7) % 10, ["run", "walk"][i % 2]));
    folder.write(
        "imu.csv",
        rows.fold("a,b,kind\n".into(), |text: String, row| text + &row),
    );
    folder.succeed("train imu.csv --context kind --steps 50 --layers 2 --hidden 4 -o moons.flow");
    folder.write("named.csv", "kind,b,a\nrun,3,4\nwalk,3,4\n");
    let named = scores(&folder, "named.csv");
    assert_ne!(named[0], named[1]);
    let rows = [[4.0, 3.0, 1.0, 0.0], [4.0, 3.0, 0.0, 1.0]].map(Vec::from);
    folder.write("numbers.npy", npy(&rows));
    assert_eq!(scores(&folder, "numbers.npy"), named);
    folder.write("swim.csv", "kind,b,a\nrun,3,4\nswim,3,4\n");
    let message = folder.fail("score moons.flow swim.csv");
    assert_tells(&message, &["line 3", "column kind", "swim", "run, walk"]);
}

#[test]
fn wrong_table_is_told_from_a_right_one() {
    let folder = folder_with_moons();
    for (content, facts) in [
        ("x,z\n1,2\n", vec!["the model reads y", "x, z"]),
        ("a,b\n1,2\n", vec!["the model reads x, y", "a, b"]),
        ("x,y\n1,2\n3,high\n", vec!["line 3", "column y", "high"]),
        (
            "x,y\n1,2\n3,\n",
            vec!["line 3", "column y", "missing", "--drop-missing"],
        ),
        ("x,y\n1,2\n3,4,5\n", vec!["line 3", "3 cells"]),
        ("x,y\n", vec!["no rows"]),
        ("", vec!["empty"]),
    ] {
        folder.write("points.csv", content);
        let message = folder.fail("score moons.flow points.csv -o scores.csv");
        assert_tells(&message, &["points.csv"]);
        assert_tells(&message, &facts);
    }
    folder.write("points.npy", npy(&[vec![1.0, 2.0, 3.0]]));
    let message = folder.fail("score moons.flow points.npy");
    assert_tells(&message, &["points.npy", "3 columns", "takes 2"]);
}

#[test]
fn flow_matching_has_no_scores() {
    let folder = folder_with_flow_matching();
    folder.write("points.csv", csv("x,y", &points()));
    let message = folder.fail("score moons.flow points.csv -o scores.csv");
    assert_tells(
        &message,
        &[
            "moons.flow",
            "flow matching",
            "no log-probability",
            "RealNVP",
        ],
    );
}
