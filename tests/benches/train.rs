//! How fast models are trained, beside JAX's fastest form where Python has it.
//!
//! Both fit the default data, moons, in batches of 256 by nets of the same sizes; runs take turns, and
//! medians count. `FLOWLET_PYTHON` names the Python that has jax, equinox and optax, `python3` by default.

#![expect(clippy::unwrap_used, reason = "a bench may fail")]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use flowlet_tests::command::Folder;
use flowlet_trainer::data::toy::ToySet;
use flowlet_trainer::fit::{FitOptions, ModelKind, Recipe, fit};
use ndarray::{Array2, Axis};
use ndarray_npy::write_npy;
use pulp::{Arch, Simd, WithSimd};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::Deserialize;

const STEPS: usize = 5_000;
const ROUNDS: usize = 3;
const BATCH: usize = 256;

/// Nats that a good fit of moons reaches on rows kept out, in standardized space: the data's own density
/// gives 1.13.
const GOOD_NLL: f64 = 1.18;

/// One of the two models, as large here as there.
struct Subject {
    kind: ModelKind,
    name: &'static str,
    /// In the words of the command line and of the script.
    words: [&'static str; 2],
    /// Multiply-adds of a step for each row: one forward and two back.
    multiply_adds: usize,
}

const SUBJECTS: [Subject; 2] = [
    Subject {
        kind: ModelKind::RealNvp,
        name: "RealNVP, 8 of 1-64-64-2",
        words: ["--model real-nvp --layers 8 --hidden 64,64", "real_nvp"],
        multiply_adds: 3 * 8 * (64 + 64 * 64 + 2 * 64),
    },
    Subject {
        kind: ModelKind::FlowMatching,
        name: "flow matching, 3-64-64-64-2",
        words: ["--model flow-matching --hidden 64,64,64", "flow_matching"],
        multiply_adds: 2 * 3 * 64 + 3 * (2 * 64 * 64 + 2 * 64),
    },
];

/// What one run took.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    steps_a_second: f64,
    /// From the start of the command to the file; for JAX to its end, since it writes none.
    seconds: f64,
    /// At its largest.
    bytes: f64,
    /// Of training, until rows kept out have [`GOOD_NLL`], if they ever do.
    seconds_to_good: Option<f64>,
    /// On the rows kept out: nats, or the mean square where noise and data are paired at random.
    loss: Option<f64>,
}

#[derive(Deserialize)]
struct Printed {
    version: String,
    steps_a_second: f64,
    losses: Vec<(f64, f64)>,
}

fn main() {
    let folder = Folder::new();
    write_points(&folder);
    let threads = thread::available_parallelism().unwrap();
    let peak = peak_multiply_adds();
    println!(
        "Moons, {STEPS} steps of {BATCH} rows, {threads} threads, median of {ROUNDS} runs in turns. All \
         threads together do {:.1} billion multiply-adds a second at most.\n",
        1e-9 * peak
    );
    println!(
        "| model | by | steps a second | of the peak | loss held out | to {GOOD_NLL} nats | start to file | \
         peak memory |"
    );
    println!("|---|---|---:|---:|---:|---:|---:|---:|");
    let mut without_python = false;
    for subject in &SUBJECTS {
        let (mut plain, mut tuned, mut jax) = (Vec::new(), Vec::new(), Vec::new());
        let mut version = String::new();
        for _ in 0..ROUNDS {
            plain.push(ours(&folder, subject, Recipe::Plain));
            tuned.push(ours(&folder, subject, Recipe::Tuned));
            if let Some((run, found)) = theirs(&folder, subject) {
                jax.push(run);
                version = found;
            }
        }
        print_row(subject, "flowlet, recipe plain", &plain, peak);
        print_row(subject, "flowlet, recipe tuned", &tuned, peak);
        if jax.is_empty() {
            without_python = true;
            continue;
        }
        print_row(subject, &format!("JAX {version}"), &jax, peak);
        print_ratios(subject, "plain is faster than JAX", &plain, &jax);
        print_ratios(subject, "tuned is faster than JAX", &tuned, &jax);
    }
    if without_python {
        println!("\nNo Python with jax, equinox and optax was found: FLOWLET_PYTHON names one.");
    }
}

fn print_row(subject: &Subject, by: &str, runs: &[Run], peak: f64) {
    let steps = median(runs, |run| run.steps_a_second);
    let share = 100.0 * steps * (BATCH * subject.multiply_adds) as f64 / peak;
    let good: Option<Vec<f64>> = runs.iter().map(|run| run.seconds_to_good).collect();
    let good = match (subject.kind, good) {
        (ModelKind::FlowMatching, _) => String::new(),
        (ModelKind::RealNvp, None) => "never".into(),
        (ModelKind::RealNvp, Some(mut seconds)) => {
            seconds.sort_by(f64::total_cmp);
            format!("{:.2} s", seconds[ROUNDS / 2])
        }
    };
    let loss = median(runs, |run| run.loss.unwrap_or(f64::NAN));
    let loss = if loss.is_nan() {
        String::new()
    } else {
        format!("{loss:.3}")
    };
    println!(
        "| {} | {by} | {steps:.0} | {share:.0} % | {loss} | {good} | {:.1} s | {:.0} MB |",
        subject.name,
        median(runs, |run| run.seconds),
        1e-6 * median(runs, |run| run.bytes)
    );
}

fn print_ratios(subject: &Subject, title: &str, ours: &[Run], theirs: &[Run]) {
    let steps = |runs: &[Run]| median(runs, |run| run.steps_a_second);
    let seconds = |runs: &[Run]| median(runs, |run| run.seconds);
    println!(
        "| {} | {title} | {:.2} × | | | | {:.2} × | |",
        subject.name,
        steps(ours) / steps(theirs),
        seconds(theirs) / seconds(ours)
    );
}

fn median(runs: &[Run], value: impl Fn(&Run) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(value).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The command, and the same fit in this process for what the command does not tell.
fn ours(folder: &Folder, subject: &Subject, recipe: Recipe) -> Run {
    let (name, file) = match recipe {
        Recipe::Plain => ("plain", "plain.flow"),
        Recipe::Tuned => ("tuned", "tuned.flow"),
    };
    let _ = fs::remove_file(folder.path(file));
    let words = subject.words[0];
    let line = format!("train moons {words} --recipe {name} --steps {STEPS} -o {file} --json");
    let (output, watched) = watch(&mut folder.command(&line), Some(&folder.path(file)));
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    Run {
        steps_a_second: STEPS as f64 / printed["seconds"].as_f64().unwrap(),
        seconds: watched.seconds,
        bytes: watched.bytes,
        seconds_to_good: match subject.kind {
            ModelKind::RealNvp => seconds_to_good(&options(subject, recipe)),
            ModelKind::FlowMatching => None,
        },
        loss: match (subject.kind, recipe) {
            // Of paths between coupled pairs: another loss.
            (ModelKind::FlowMatching, Recipe::Tuned) => None,
            _ => printed["validation_loss"].as_f64(),
        },
    }
}

fn options(subject: &Subject, recipe: Recipe) -> FitOptions {
    let options = match subject.kind {
        ModelKind::RealNvp => FitOptions::real_nvp(),
        ModelKind::FlowMatching => FitOptions::flow_matching(),
    };
    FitOptions {
        layers: 8,
        hidden: vec![64; 2],
        steps: STEPS,
        ..options.with_recipe(recipe)
    }
}

fn seconds_to_good(options: &FitOptions) -> Option<f64> {
    let (start, mut seconds) = (Instant::now(), None);
    fit(&moons(), options, &mut |progress| {
        if progress.validation <= GOOD_NLL && seconds.is_none() {
            seconds = Some(start.elapsed().as_secs_f64());
        }
    })
    .unwrap();
    seconds
}

fn theirs(folder: &Folder, subject: &Subject) -> Option<(Run, String)> {
    let python = std::env::var_os("FLOWLET_PYTHON").unwrap_or_else(|| "python3".into());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/jax/train.py");
    let mut command = Command::new(python);
    command
        .args(["-B", script, subject.words[1], &STEPS.to_string()])
        .args([folder.path("training.npy"), folder.path("held_out.npy")]);
    let (output, watched) = watch(&mut command, None);
    let printed: Printed = serde_json::from_slice(&output.stdout).ok()?;
    let good = printed.losses.iter().find(|(_, loss)| *loss <= GOOD_NLL);
    let run = Run {
        steps_a_second: printed.steps_a_second,
        seconds_to_good: good.map(|(seconds, _)| *seconds),
        loss: printed.losses.last().map(|(_, loss)| *loss),
        ..watched
    };
    Some((run, printed.version))
}

/// Runs a command; gives the seconds until `file` is there, or until its end, and its largest memory.
fn watch(command: &mut Command, file: Option<&Path>) -> (Output, Run) {
    let start = Instant::now();
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut run = Run::default();
    let mut written = false;
    while child.try_wait().unwrap().is_none() {
        run.bytes = peak_memory(&child).unwrap_or(run.bytes);
        written = written || file.is_some_and(Path::exists);
        if !written {
            run.seconds = start.elapsed().as_secs_f64();
        }
        thread::sleep(Duration::from_millis(5));
    }
    (child.wait_with_output().unwrap(), run)
}

/// The largest resident set of a process so far, in bytes.
fn peak_memory(child: &Child) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024.0 * kibibytes)
}

fn moons() -> flowlet_trainer::data::Dataset {
    ToySet::Moons.sample(10_000, &mut Xoshiro256PlusPlus::seed_from_u64(0))
}

/// The rows that `flowlet train` trains on and keeps out, standardized, for the script.
fn write_points(folder: &Folder) {
    let data = moons();
    let options = FitOptions {
        steps: 1,
        ..FitOptions::real_nvp()
    };
    let fitted = fit(&data, &options, &mut |_| {}).unwrap();
    let center = data.points.select(Axis(0), &fitted.training);
    let (mean, std) = (
        center.mean_axis(Axis(0)).unwrap(),
        center.std_axis(Axis(0), 0.0),
    );
    for (name, rows) in [
        ("training.npy", &fitted.training),
        ("held_out.npy", &fitted.validation),
    ] {
        let points: Array2<f32> = (data.points.select(Axis(0), rows) - &mean) / &std;
        write_npy(folder.path(name), &points).unwrap();
    }
}

/// Multiply-adds a second of all threads, in sums that wait for nothing.
fn peak_multiply_adds() -> f64 {
    const CALLS: usize = 20_000;
    let threads = thread::available_parallelism().unwrap().get();
    let work = || {
        let start = Instant::now();
        let mut sums = [[1.0; 8]; 12];
        for _ in 0..CALLS {
            Arch::new().dispatch(Peak(black_box(&mut sums)));
        }
        (CALLS * PEAK_ROUNDS * sums.as_flattened().len()) as f64 / start.elapsed().as_secs_f64()
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .sum()
    })
}

const PEAK_ROUNDS: usize = 1_000;

struct Peak<'a>(&'a mut [[f32; 8]; 12]);

impl WithSimd for Peak<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let mut sums = *self.0;
        for _ in 0..PEAK_ROUNDS {
            for sum in sums.as_flattened_mut() {
                *sum = sum.mul_add(0.5, 0.5);
            }
        }
        *self.0 = sums;
    }
}
