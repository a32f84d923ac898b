//! One number for all bits of many samples, from this computer and from boards.

use std::num::NonZeroU16;
use std::time::Duration;

use flowlet::Kind;
use flowlet_protocol::{Command, Draw, text::strip_checksum};
use flowlet_trainer::board::firmware::build;
use flowlet_trainer::board::{Board, Launch, run_program};
use flowlet_trainer::inference::{log_probs, noise, transport};
use flowlet_trainer::model_file::ModelFile;
use ndarray::Array2;

/// Seed of the noise.
const SEED: u64 = 5;
/// Far beyond what ten thousand samples take.
const TIME_LIMIT: Duration = Duration::from_secs(900);

/// The digest of `n` samples, and of their log-probabilities where the model has them, on this
/// computer.
///
/// # Panics
///
/// If the file is no model or takes a context.
pub fn of_host(file: &ModelFile, n: usize, step_count: Option<NonZeroU16>) -> u64 {
    let model = file.model().expect("the file is a model");
    let context = Array2::zeros((n, 0));
    let noise = noise(n, model.dim(), SEED);
    let samples = transport(&model, &noise, &context, step_count).expect("there is no context");
    let log_probs = match model.kind() {
        Kind::RealNvp { .. } => log_probs(&model, &samples, &context).expect("has a density"),
        Kind::FlowMatching { .. } => vec![],
    };
    let mut digest = 0xCBF2_9CE4_8422_2325;
    for (i, x) in samples.rows().into_iter().enumerate() {
        for number in x.iter().chain(log_probs.get(i)) {
            digest ^= u64::from(number.to_bits());
            digest = digest.wrapping_mul(0x0000_0100_0000_01B3);
        }
    }
    digest
}

/// The same on a board.
///
/// # Panics
///
/// If the run fails.
pub fn of_board(board: Board, file: &ModelFile, n: usize, step_count: Option<NonZeroU16>) -> u64 {
    let program = build(board, "sampler", None).unwrap_or_else(|error| panic!("{error}"));
    let draw = Draw {
        seed: Some(SEED),
        step_count,
        ..Draw::new(n as u32)
    };
    let launch = Launch {
        program: &program.path(),
        image: file.bytes(),
        input: &format!("{}\n", Command::Digest(draw)),
        plugin: None,
        limit: TIME_LIMIT,
    };
    let output = run_program(board, &launch).unwrap_or_else(|error| panic!("{error}"));
    let transcript = String::from_utf8_lossy(&output);
    let line = transcript.lines().find_map(strip_checksum);
    let digest = line.and_then(|line| line.strip_prefix("digest ")?.split(' ').next());
    let digest = digest.and_then(|digest| u64::from_str_radix(digest, 16).ok());
    digest.unwrap_or_else(|| panic!("{board} gives no digest: {transcript}"))
}
