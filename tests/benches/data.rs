//! Rows a second from a CSV file of a million rows, and what memory that takes.
//!
//! Each measurement is a process of its own, since a peak of memory never falls.

#![expect(clippy::unwrap_used, reason = "a bench may fail")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use flowlet_tests::random_flow::generator;
use flowlet_trainer::data::Dataset;
use flowlet_trainer::data::table::{Selection, Table};
use flowlet_trainer::fit::{FitOptions, fit};
use rand::RngExt;

const ROWS: usize = 1_000_000;
/// Columns of numbers; a column of categories comes after them.
const COLUMNS: usize = 8;

/// Few, since the time of a step does not depend on the number of rows.
const STEPS: usize = 100;

/// What is done with a table.
type Measure = fn(&Path);

/// What a process measures, the name first and what is done with a table then.
const MEASUREMENTS: [(&str, Measure); 4] = [
    ("read", |path| {
        let numbers = format!("c0..c{}", COLUMNS - 1);
        check(&read(path, &[&numbers], &[]));
    }),
    ("read with a context", |path| {
        check(&read(path, &["c0..c6"], &["c7", "kind"]));
    }),
    ("read and fit RealNVP", |path| {
        fitted(path, FitOptions::real_nvp())
    }),
    ("read and fit flow matching", |path| {
        fitted(path, FitOptions::flow_matching());
    }),
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let measurement = MEASUREMENTS
        .iter()
        .find(|(name, _)| arguments.get(1).is_some_and(|argument| argument == name));
    match measurement {
        Some((_, measure)) => {
            let start = Instant::now();
            measure(Path::new(&arguments[2]));
            print_cost(start.elapsed().as_secs_f64());
        }
        None => measure_all(),
    }
}

fn measure_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    write_table(&path);
    let megabytes = fs::metadata(&path).unwrap().len() / 1_000_000;
    println!(
        "A CSV file of {ROWS} rows and {COLUMNS} columns of numbers, {megabytes} MB; fits of {STEPS} steps.\n"
    );
    println!("| what | seconds | rows a second | peak memory, MB |");
    println!("|---|---:|---:|---:|");
    for (name, _) in MEASUREMENTS {
        let program = std::env::current_exe().unwrap();
        let output = Command::new(program).arg(name).arg(&path).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        print!("| {name} {}", String::from_utf8(output.stdout).unwrap());
    }
}

/// Numbers of some seven digits, as sensors and programs write them.
fn write_table(path: &Path) {
    let rng = &mut generator(1);
    let mut output = BufWriter::new(File::create(path).unwrap());
    for column in 0..COLUMNS {
        write!(output, "c{column},").unwrap();
    }
    writeln!(output, "kind").unwrap();
    let mut line = String::new();
    for row in 0..ROWS {
        line.clear();
        for _ in 0..COLUMNS {
            write!(line, "{:.6},", rng.random_range(-3.0f64..3.0)).unwrap();
        }
        writeln!(output, "{line}{}", ["run", "sit", "walk"][row % 3]).unwrap();
    }
    output.flush().unwrap();
}

fn read(path: &Path, columns: &[&str], context: &[&str]) -> Dataset {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let selection = Selection {
        columns: owned(columns),
        context: owned(context),
        ..Selection::default()
    };
    Table::read(path).unwrap().dataset(&selection).unwrap()
}

fn fitted(path: &Path, options: FitOptions) {
    let numbers = format!("c0..c{}", COLUMNS - 1);
    let dataset = read(path, &[&numbers], &[]);
    let options = FitOptions {
        steps: STEPS,
        ..options
    };
    let fitted = fit(&dataset, &options, &mut |_| {}).unwrap();
    assert!(fitted.validation_loss.is_finite());
}

/// That all rows are there.
fn check(dataset: &Dataset) {
    assert_eq!(dataset.points.nrows(), ROWS);
    assert_eq!(dataset.context.nrows(), ROWS);
}

/// The rest of a line of the table.
fn print_cost(seconds: f64) {
    let memory = peak_memory().map_or("?".into(), |bytes| (bytes / 1_000_000).to_string());
    println!("| {seconds:.2} | {:.0} | {memory} |", ROWS as f64 / seconds);
}

/// The most memory that this process has had, in bytes, where Linux tells.
fn peak_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(1024 * kilobytes)
}
