//! Programs in C, linked with the static library: on a Cortex-M4F in QEMU and on this computer, there under the
//! sanitizers of addresses and of undefined behaviour.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::fmt::Write;
use std::process::Command;
use std::time::Duration;

use flowlet_tests::build::{Output, build};
use flowlet_tests::c_program::{Firmware, compile, compiler, model};
use flowlet_tests::command::run;
use flowlet_trainer::board::{Launch, run_program};
use flowlet_trainer::inference;
use flowlet_trainer::model_file::ModelFile;
use ndarray::Array2;
use tempfile::TempDir;

/// Those of `sample.c`.
const SAMPLES: usize = 5;
const SEED: u64 = 7;

const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Compiled for this computer under sanitizers, run to its end: what it prints.
#[track_caller]
fn say(example: &str) -> String {
    let folder = TempDir::new().unwrap();
    let program = folder.path().join(example);
    let library = build("flowlet-c", Output::StaticLibrary(None));
    compile(
        compiler("cc", example, &program)
            .args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"])
            .arg(library)
            .args(["-lm", "-lpthread", "-ldl"]),
    );
    let output = run(&mut Command::new(program));
    let (printed, said) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{example}: {printed}{said}");
    printed.into_owned()
}

/// What the example is to print, by the trainer's own inference.
fn expected() -> String {
    let file = ModelFile::read(&model()).unwrap();
    let model = file.model().unwrap();
    let noise = inference::noise(SAMPLES, model.dim(), SEED);
    let context = Array2::zeros((SAMPLES, 0));
    let points = inference::transport(&model, &noise, &context, None).unwrap();
    let log_probs = inference::log_probs(&model, &points, &context).unwrap();
    let mut text = String::new();
    for (point, log_prob) in points.rows().into_iter().zip(log_probs) {
        text += "sample";
        for number in point.iter().chain([&log_prob]) {
            write!(text, " {:08x}", number.to_bits()).unwrap();
        }
        text += "\n";
    }
    text
}

#[test]
fn a_program_in_c_gives_the_bits_of_this_computer() {
    assert_eq!(say("sample"), expected());
}

#[test]
fn every_mistake_in_c_is_an_error_and_no_more() {
    assert_eq!(say("errors"), "0 failures\n");
}

#[test]
fn firmware_in_c_gives_the_bits_of_this_computer() {
    let firmware = Firmware::new();
    let launch = Launch {
        program: &firmware.program(),
        image: &[],
        input: "",
        plugin: None,
        limit: TIME_LIMIT,
    };
    let output = run_program(Firmware::BOARD, &launch).unwrap();
    assert_eq!(String::from_utf8(output).unwrap(), expected());
}
