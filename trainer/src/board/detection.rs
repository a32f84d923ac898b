//! A motion sensor's recordings, replayed to the detector on a board.

use std::path::Path;
use std::time::Duration;

use flowlet::{Model, Threshold};
use flowlet_protocol::frame::FrameReader;
use flowlet_protocol::{Answer, Command, Form, Measured, Spent};
use flowlet_window::Windows;
use ndarray::{Array2, ArrayView2};

use super::error::tail;
use super::firmware::Chosen;
use super::fit::{check_fit, image};
use super::log::{Log, LogFile};
use super::{Board, BoardError, Launch, emulator};
use crate::error::Error;
use crate::inference::log_probs;
use crate::model_file::ModelFile;

/// Numbers of a sample: three axes of an accelerometer, three of a gyroscope.
pub const CHANNELS: usize = 6;

/// What instructions a window takes at most beside its model's, in multiply-adds.
const FEATURES: u64 = 10_000;

/// What a sensor measured.
#[derive(Clone, Copy, Debug)]
pub struct Recordings<'a> {
    /// `[n, 6]`: one sample a row, one recording after another.
    pub samples: ArrayView2<'a, f32>,
    /// Samples of a recording, 1 or more; no window reaches from one into the next.
    pub len: usize,
}

/// A window, and what a model says of it.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The row of the sample that it ends with.
    pub end: usize,
    /// Its features.
    pub x: [f32; CHANNELS],
    /// `ln p(x)`.
    pub log_prob: f32,
    /// Whether that is below the model's threshold.
    pub is_strange: bool,
}

/// What a detector found.
#[derive(Clone, Debug)]
pub struct Detection {
    /// All windows, in the order in which they end.
    pub windows: Vec<Window>,
    /// What all of them took, where the board counts.
    pub spent: Option<Spent>,
}

impl PartialEq for Window {
    /// To the bit.
    fn eq(&self, other: &Self) -> bool {
        let bits = |window: &Self| {
            let numbers = window.x.map(f32::to_bits);
            (window.end, numbers, window.log_prob.to_bits())
        };
        bits(self) == bits(other) && self.is_strange == other.is_strange
    }
}

/// What the detector of a board has to find, by this computer.
///
/// # Errors
///
/// [`BoardError::NoThreshold`] and [`BoardError::NoWindows`], where the model is none for a detector;
/// [`Error::Model`] where it has no density.
///
/// # Panics
///
/// If samples have other than [`CHANNELS`] numbers.
pub fn windows(model: &Model<'_>, recordings: &Recordings<'_>) -> Result<Vec<Window>, Error> {
    let threshold = check(model)?;
    let mut ends = vec![];
    let mut features = vec![];
    for (end, x) in recordings.features() {
        ends.push(end);
        features.extend(x);
    }
    let points = Array2::from_shape_vec((ends.len(), CHANNELS), features);
    let points = points.expect("each window has a feature a channel");
    let log_probs = log_probs(model, &points, &Array2::zeros((ends.len(), 0)))?;
    let rows = points.rows().into_iter().zip(log_probs);
    let windows = ends
        .into_iter()
        .zip(rows)
        .map(|(end, (x, log_prob))| Window {
            end,
            x: std::array::from_fn(|i| x[i]),
            log_prob,
            is_strange: threshold.is_strange(log_prob),
        });
    Ok(windows.collect())
}

/// Replays recordings to the firmware `detector` with `file`'s model, and gives back what it found.
///
/// # Errors
///
/// As [`windows`] and [`run`](super::run).
///
/// # Panics
///
/// As [`windows`].
pub fn detect(
    board: Board,
    file: &ModelFile,
    recordings: &Recordings<'_>,
    program: Option<&Path>,
    log: Option<&Log>,
) -> Result<Detection, Error> {
    let model = file.model()?;
    check(&model)?;
    check_fit(board, &[file])?;
    board.machine()?.emulator.check()?;
    let ends: Vec<usize> = recordings.features().map(|(end, _)| end).collect();
    let program = Chosen::with_log(board, "detector", program, log)?;
    let log = LogFile::of(log, &program.path())?;
    let launch = Launch {
        program: &program.path(),
        image: &image(&[file]),
        input: &recordings.input(),
        plugin: None,
        limit: time_limit(board, &model, ends.len()),
    };
    let output = emulator::run_logging(board, &launch, log.as_ref(), &mut |_| {})?;
    Ok(read(board, &output, &ends)?)
}

/// That a model is one for a detector.
pub(super) fn check(model: &Model<'_>) -> Result<Threshold, BoardError> {
    let found = [model.dim(), model.context_dim()];
    if found != [CHANNELS, 0] {
        return Err(BoardError::NoWindows { found });
    }
    model.threshold().ok_or(BoardError::NoThreshold)
}

fn time_limit(board: Board, model: &Model<'_>, count: usize) -> Duration {
    let macs = (model.mac_count() as u64 + FEATURES) * count as u64;
    Duration::from_secs(60).saturating_add(board.time(10 * macs))
}

impl Recordings<'_> {
    /// The row that each window ends with, and its features.
    fn features(&self) -> impl Iterator<Item = (usize, [f32; CHANNELS])> {
        let mut windows = Windows::<CHANNELS>::new();
        self.rows().enumerate().filter_map(move |(row, sample)| {
            if row % self.len == 0 {
                windows.restart();
            }
            Some((row, windows.push(&sample)?))
        })
    }

    fn rows(&self) -> impl Iterator<Item = [f32; CHANNELS]> {
        let rows = self.samples.rows().into_iter();
        rows.map(|row| std::array::from_fn(|i| row[i]))
    }

    /// The lines that a board is sent.
    fn input(&self) -> String {
        let mut lines = String::new();
        let mut add = |command: Command| lines += &format!("{command}\n");
        for (row, sample) in self.rows().enumerate() {
            if row % self.len == 0 {
                add(Command::Restart(Form::Frames));
            }
            add(Command::Feed(Measured {
                values: sample.into_iter().collect(),
                form: Form::Frames,
            }));
        }
        lines
    }
}

/// The windows in a stream of frames, which end with these rows.
fn read(board: Board, output: &[u8], ends: &[usize]) -> Result<Detection, BoardError> {
    let problem = |problem: String| BoardError::Transcript {
        problem,
        tail: tail(&String::from_utf8_lossy(output)),
    };
    let mut reader = FrameReader::new();
    let mut windows = vec![];
    let mut all_spent = vec![];
    for byte in output {
        if !reader.push(*byte) {
            continue;
        }
        match reader.frame().map_err(|error| problem(error.to_string()))? {
            Answer::Kept => {}
            Answer::Window {
                x,
                log_prob,
                is_strange,
                spent,
            } => {
                let end = ends.get(windows.len()).copied().unwrap_or_default();
                let x = x.as_slice().try_into();
                windows.push(Window {
                    end,
                    x: x.map_err(|_| problem("a window has other features".into()))?,
                    log_prob,
                    is_strange,
                });
                all_spent.push(spent);
            }
            Answer::Error(message) => {
                let message = message.as_str().into();
                return Err(BoardError::Refused { board, message });
            }
            other => return Err(problem(format!("{other:?} was not asked for"))),
        }
    }
    if windows.len() != ends.len() {
        let (found, count) = (windows.len(), ends.len());
        return Err(problem(format!("there are {found} windows of {count}")));
    }
    let spent = all_spent
        .into_iter()
        .flatten()
        .reduce(|a, b| a.plus(b).unwrap_or(a));
    Ok(Detection { windows, spent })
}
