//! Samples of a board that runs, asked for over a line.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use flowlet::{Kind, Model};
use flowlet_protocol::{Answer, Command, Draw, Facts, Form, Spent, text};
use ndarray::Array2;

use super::{Board, BoardError, BoardRun, Line, LineError, Progress, Request, macs_per_sample};
use crate::error::Error;
use crate::model_file::ModelFile;

/// How long a board may take to answer, beside what a sample takes.
const PATIENCE: Duration = Duration::from_secs(3);

/// Takes a sample and its log-probability, and tells whether it wants more.
pub type Take<'t> = dyn FnMut(&[f32], Option<f32>) -> ControlFlow<()> + 't;

/// What came of a request for samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Samples that came.
    pub count: u32,
    /// Whether the board told its end; else whoever took them had enough.
    pub is_whole: bool,
    /// What the board counted.
    pub spent: Option<Spent>,
}

/// How long `board` may be silent while it draws one sample.
pub fn patience(board: Option<Board>, model: Option<&Model<'_>>, draw: &Draw) -> Duration {
    let macs = model.map_or(0, |model| macs_per_sample(model, draw.step_count));
    // Ten times what it should take; the slowest board where it is not known which it is.
    let board = board.unwrap_or(Board::Pico);
    PATIENCE + board.time(macs.saturating_mul(10))
}

/// Asks for samples and hands each to `take` as it comes, with its log-probability where the model has them.
///
/// # Errors
///
/// [`BoardError::Line`] where the line or the board fails, or the firmware gives no samples.
pub fn draw(
    line: &mut Line,
    draw: &Draw,
    patience: Duration,
    take: &mut Take<'_>,
) -> Result<Batch, BoardError> {
    let mut draw = draw.clone();
    draw.form = Form::Frames;
    line.send(&Command::Sample(draw))?;
    let damaged = line.damaged();
    let mut batch = Batch {
        count: 0,
        is_whole: false,
        spent: None,
    };
    loop {
        match line.answer(Instant::now() + patience)? {
            Answer::Sample { x, log_prob } => {
                batch.count += 1;
                if take(&x, log_prob).is_break() {
                    return Ok(batch);
                }
            }
            // None came, nor the bytes of any.
            Answer::Done { count: 1.., .. } if batch.count == 0 && line.damaged() == damaged => {
                let name = line.name().into();
                return Err(LineError::NoSamples { name }.into());
            }
            Answer::Done { spent, .. } => {
                batch.is_whole = true;
                batch.spent = spent;
                return Ok(batch);
            }
            // What else there is was asked for before.
            _ => {}
        }
    }
}

/// What [`run`](super::run) gives, of a board at the other end of a line.
///
/// # Errors
///
/// [`Error::Model`] where the file is no model, [`Error::Board`] where the board has another model or the
/// line or the board fails.
pub fn run_over(
    line: &mut Line,
    board: Board,
    file: &ModelFile,
    request: &Request,
    progress: &mut dyn FnMut(Progress),
) -> Result<BoardRun, Error> {
    let model = file.model()?;
    let asked = request.draw(&model, Form::Frames)?;
    let patience = patience(Some(board), Some(&model), &asked);
    line.begin(patience)?;
    check_model(line, file, patience)?;
    let (mut points, mut log_probs) = (vec![], vec![]);
    let mut count = 0;
    let batch = draw(line, &asked, patience, &mut |x, log_prob| {
        count += 1;
        progress(Progress::Sampled(count));
        points.extend_from_slice(x);
        log_probs.extend(log_prob);
        ControlFlow::Continue(())
    })?;
    if batch.count != request.n {
        return Err(BoardError::from(LineError::Lost {
            name: line.name().into(),
            lost: request.n.saturating_sub(batch.count) as usize,
            count: request.n as usize,
        })
        .into());
    }
    let has_log_prob = matches!(model.kind(), Kind::RealNvp { .. });
    if has_log_prob && log_probs.is_empty() {
        let name = line.name().into();
        return Err(BoardError::from(LineError::NoLogProbs { name }).into());
    }
    let shape = (request.n as usize, model.dim());
    let other = || other_model(line, file, "one of another shape");
    let samples = Array2::from_shape_vec(shape, points).map_err(|_| other())?;
    if log_probs.len() != usize::from(has_log_prob) * request.n as usize {
        return Err(other().into());
    }
    Ok(BoardRun {
        samples,
        log_probs: has_log_prob.then_some(log_probs),
        spent: batch.spent,
        transcript: String::new(),
    })
}

/// That the board's model is that of the file, by what the board says of it.
///
/// # Errors
///
/// [`Error::Model`] where the file is no model, [`Error::Board`] where the board has another or the line fails.
pub fn check_model(line: &mut Line, file: &ModelFile, patience: Duration) -> Result<(), Error> {
    let facts = Facts::of(&file.model()?, file.bytes());
    let mut expected = String::new();
    text::write(&mut expected, &Answer::Model(facts)).expect("a string takes text");
    let expected = text::strip_checksum(expected.trim_end()).expect("it has been written with one");
    line.send(&Command::Model)?;
    let found = line.text("model ", Instant::now() + patience)?;
    match found == expected {
        true => Ok(()),
        false => Err(other_model(line, file, &found).into()),
    }
}

fn other_model(line: &Line, file: &ModelFile, found: &str) -> BoardError {
    BoardError::Line(LineError::OtherModel {
        name: line.name().into(),
        path: file.path().into(),
        found: found.trim_start_matches("model ").into(),
    })
}
