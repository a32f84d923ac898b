//! One number for all bits of many samples, from this computer and from boards.

use std::num::NonZeroU16;
use std::time::Duration;

use flowlet::Kind;
use flowlet_trainer::board::firmware::build;
use flowlet_trainer::board::{Board, run_program};
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
    let program = build(board, "digest", Some(file)).unwrap_or_else(|error| panic!("{error}"));
    let step_count = step_count.map_or(0, NonZeroU16::get);
    let arguments = [n.to_string(), SEED.to_string(), step_count.to_string()];
    let transcript = run_program(board, &program, &arguments, None, TIME_LIMIT)
        .unwrap_or_else(|error| panic!("{error}"));
    let digest = transcript
        .lines()
        .find_map(|line| line.strip_prefix("digest "));
    let digest = digest.and_then(|digest| u64::from_str_radix(digest, 16).ok());
    digest.unwrap_or_else(|| panic!("{board} gives no digest: {transcript}"))
}
