//! Firmware, run on a board.

use flowlet::{Kind, Model};
use flowlet_protocol::{Command, Form, Spent};
use ndarray::Array2;

use super::firmware::Chosen;
use super::fit::{check_fit, image};
use super::log::{Log, LogFile};
use super::request::time_limit;
use super::{Board, Launch, Request, emulator, transcript};
use crate::error::Error;
use crate::inference;
use crate::model_file::ModelFile;

/// What a board said.
#[derive(Clone, Debug)]
pub struct BoardRun {
    /// `[n, dim]`, to the bit.
    pub samples: Array2<f32>,
    /// `ln p` of each sample, if the model has it.
    pub log_probs: Option<Vec<f32>>,
    /// What the board counted, where it counts.
    pub spent: Option<Spent>,
    /// All the board's lines.
    pub transcript: String,
}

/// A number that a board has otherwise than this computer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The sample, from 0.
    pub row: usize,
    /// The dimension, from 0; the number of dimensions for the log-probability.
    pub column: usize,
    /// The board's number.
    pub board: f32,
    /// This computer's.
    pub host: f32,
}

impl BoardRun {
    /// Whether this computer gives the same samples and log-probabilities for the request, to the
    /// bit.
    ///
    /// # Errors
    ///
    /// [`Error::Runtime`] where the request does not fit the model.
    pub fn has_bits_of_host(&self, model: &Model<'_>, request: &Request) -> Result<bool, Error> {
        Ok(self.first_difference(model, request)?.is_none())
    }

    /// The first number that this computer does not give to the bit.
    ///
    /// # Errors
    ///
    /// [`Error::Runtime`] where the request does not fit the model.
    ///
    /// # Panics
    ///
    /// If the request is for another number of samples, or for another kind of model.
    pub fn first_difference(
        &self,
        model: &Model<'_>,
        request: &Request,
    ) -> Result<Option<Difference>, Error> {
        let n = request.n as usize;
        let noise = inference::noise(n, model.dim(), request.seed);
        let context =
            Array2::from_shape_fn((n, request.context.len()), |(_, i)| request.context[i]);
        let mut host = inference::transport(model, &noise, &context, request.step_count)?;
        let mut board = self.samples.clone();
        if let Kind::RealNvp { .. } = model.kind() {
            let log_probs = inference::log_probs(model, &host, &context)?;
            push_column(&mut host, &log_probs);
        }
        if let Some(log_probs) = &self.log_probs {
            push_column(&mut board, log_probs);
        }
        assert_eq!(
            board.shape(),
            host.shape(),
            "the run is that of the request"
        );
        let mut pairs = board.indexed_iter().zip(&host);
        let different = pairs.find(|((_, board), host)| board.to_bits() != host.to_bits());
        Ok(
            different.map(|(((row, column), &board), &host)| Difference {
                row,
                column,
                board,
                host,
            }),
        )
    }
}

fn push_column(rows: &mut Array2<f32>, numbers: &[f32]) {
    rows.push_column(numbers.into())
        .expect("there is one log-probability a sample");
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The firmware is being built, which takes seconds, the first time a minute.
    Building,
    /// The board has this many samples.
    Sampled(u32),
}

/// Runs the sampler on `file`'s model and gives back what it said.
///
/// The firmware is built the first time, or anew where its source has changed; the model is data to it.
/// Runs may go on at the same time; their builds wait for one another.
///
/// # Errors
///
/// [`Error::Model`] where the file is no model, [`Error::Board`] with what is missing, too large,
/// or went wrong on the board, [`Error::Io`] where the build has no place.
pub fn run(
    board: Board,
    file: &ModelFile,
    request: &Request,
    progress: &mut dyn FnMut(Progress),
) -> Result<BoardRun, Error> {
    let model = file.model()?;
    let draw = request.draw(&model, Form::Text)?;
    check_fit(board, &[file])?;
    board.machine()?.emulator.check()?;
    progress(Progress::Building);
    let log = request.log.as_ref();
    let program = Chosen::with_log(board, "sampler", request.program.as_deref(), log)?;
    progress(Progress::Sampled(0));
    let log = LogFile::of(log, &program.path())?;
    let launch = Launch {
        program: &program.path(),
        image: &image(&[file]),
        input: &format!("{}\n", Command::Sample(draw)),
        plugin: None,
        limit: time_limit(board, &model, request),
    };
    let mut sampled = 0;
    let output = emulator::run_logging(board, &launch, log.as_ref(), &mut |line| {
        if transcript::is_sample(line) {
            sampled += 1;
            progress(Progress::Sampled(sampled));
        }
    })?;
    let transcript = String::from_utf8_lossy(&output).into_owned();
    Ok(transcript::parse(board, transcript, &model, request.n)?)
}

/// Runs any of the programs that [`firmware::build`](super::firmware::build) builds; gives back all that it wrote, and the
/// plugin if there is one.
///
/// # Errors
///
/// [`Error::Board`] with [`NoTool`](super::BoardError::NoTool),
/// [`Failed`](super::BoardError::Failed) or [`TimeLimit`](super::BoardError::TimeLimit).
pub fn run_program(board: Board, launch: &Launch<'_>) -> Result<Vec<u8>, Error> {
    board.machine()?.emulator.check()?;
    emulator::run(board, launch, &mut |_| {})
}

/// [`run_program`], of a program that logs.
///
/// # Errors
///
/// As [`run_program`], and [`NoLog`](super::BoardError::NoLog) where the program has no texts for a log.
pub fn run_logging(board: Board, launch: &Launch<'_>, log: &Log) -> Result<Vec<u8>, Error> {
    board.machine()?.emulator.check()?;
    let log = LogFile::of(Some(log), launch.program)?;
    emulator::run_logging(board, launch, log.as_ref(), &mut |_| {})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::export;
    use crate::flow::{Flow, FlowKind};
    use crate::nn::{Dense, Mlp};
    use flowlet::{Activation, Precision};
    use ndarray::Array1;
    use std::num::NonZeroU16;
    use std::time::Duration;

    /// A flow with one hidden layer a net, its weights from a source of noise.
    fn flow(dim: usize, context_dim: usize, width: usize, kind: FlowKind) -> Flow {
        let (layer_count, activation) = match kind {
            FlowKind::RealNvp { .. } => (2, Activation::Tanh),
            FlowKind::FlowMatching { .. } => (1, Activation::Elu),
        };
        let nets = (0..layer_count).map(|k| {
            let (inputs, outputs) = match kind {
                FlowKind::RealNvp { .. } => {
                    let moved = (0..dim).filter(|i| (i + k) % 2 == 1).count();
                    (dim - moved + context_dim, 2 * moved)
                }
                FlowKind::FlowMatching { .. } => (dim + 1 + context_dim, dim),
            };
            let layer = |outputs: usize, inputs: usize| Dense {
                weight: inference::noise(outputs, inputs, k as u64) / (inputs as f32).sqrt(),
                bias: Array1::from_elem(outputs, 0.1),
            };
            Mlp {
                layers: vec![layer(width, inputs), layer(outputs, width)],
                activation,
            }
        });
        Flow {
            name: "noise".into(),
            labels: vec![],
            dim,
            context_dim,
            mean: vec![0.5; dim + context_dim],
            std: vec![2.0; dim + context_dim],
            factor: None,
            kind,
            nets: nets.collect(),
        }
    }

    fn real_nvp(dim: usize, context_dim: usize, width: usize) -> ModelFile {
        let kind = FlowKind::RealNvp { scale_clip: 2.0 };
        export(&flow(dim, context_dim, width, kind), Precision::F32).unwrap()
    }

    fn flow_matching(dim: usize, context_dim: usize, width: usize) -> ModelFile {
        let kind = FlowKind::FlowMatching { step_count: 8 };
        export(&flow(dim, context_dim, width, kind), Precision::F32).unwrap()
    }

    fn request(n: u32, context: &[f32]) -> Request {
        Request {
            seed: 11,
            context: context.into(),
            ..Request::new(n)
        }
    }

    /// Runs the model on the board and compares every bit with what this computer gives.
    #[track_caller]
    fn assert_same_bits(board: Board, file: &ModelFile, request: &Request) {
        let outcome = run(board, file, request, &mut |_| {}).unwrap();
        let model = file.model().unwrap();
        assert!(
            outcome.has_bits_of_host(&model, request).unwrap(),
            "on {board}"
        );
    }

    #[test]
    fn a_board_gives_the_bits_of_this_computer() {
        for board in [Board::QemuM4, Board::QemuRv32] {
            assert_same_bits(board, &real_nvp(3, 2, 8), &request(8, &[0.25, -1e-3]));
            assert_same_bits(board, &flow_matching(3, 1, 8), &request(8, &[0.1]));
        }
    }

    #[test]
    fn a_board_takes_another_number_of_steps() {
        let request = Request {
            step_count: NonZeroU16::new(3),
            ..request(4, &[])
        };
        assert_same_bits(Board::QemuM4, &flow_matching(2, 0, 8), &request);
    }

    #[test]
    fn the_largest_sizes_fit_the_smallest_board() {
        let context = [1.0; 32];
        assert_same_bits(
            Board::QemuM0,
            &flow_matching(64, 32, 256),
            &request(1, &context),
        );
    }

    #[test]
    fn runs_at_the_same_time_keep_their_models() {
        std::thread::scope(|scope| {
            for width in 1..4 {
                scope.spawn(move || {
                    assert_same_bits(Board::QemuM4, &real_nvp(2, 0, width), &request(2, &[]));
                });
            }
        });
    }

    #[test]
    fn progress_counts_each_sample() {
        let mut seen = vec![];
        let file = real_nvp(2, 0, 4);
        run(Board::QemuM4, &file, &request(2, &[]), &mut |progress| {
            seen.push(progress);
        })
        .unwrap();
        let sampled = [0, 1, 2].map(Progress::Sampled);
        assert_eq!(seen, [&[Progress::Building][..], &sampled].concat());
    }

    #[track_caller]
    fn assert_refused(board: Board, file: &ModelFile, request: &Request, message: &str) {
        let error = run(board, file, request, &mut |_| {})
            .unwrap_err()
            .to_string();
        assert!(error.contains(message), "{error}");
    }

    #[test]
    fn what_cannot_run_is_told_before_the_build() {
        let file = real_nvp(2, 1, 4);
        assert_refused(
            Board::QemuM0,
            &file,
            &request(1, &[]),
            "takes 1 context numbers, 0 are given",
        );
        assert_refused(
            Board::QemuM0,
            &file,
            &request(1, &[f32::NAN]),
            "context number 1 is NaN or infinite",
        );
        assert_refused(
            Board::QemuM0,
            &real_nvp(64, 24, 256),
            &request(1, &[0.0; 24]),
            "bytes too many for the 180224 bytes of flash that qemu-m0 has for models",
        );
        let no_model = ModelFile::from_bytes("table.csv", b"x,y");
        assert_refused(Board::QemuM0, &no_model, &request(1, &[]), "table.csv");
    }

    #[test]
    fn a_run_that_takes_too_long_is_stopped() {
        let request = Request {
            time_limit: Some(Duration::from_millis(300)),
            ..request(u32::MAX, &[])
        };
        let file = real_nvp(2, 0, 4);
        assert_refused(
            Board::QemuM4,
            &file,
            &request,
            "still running on qemu-m4 after 0.3 s",
        );
    }
}
