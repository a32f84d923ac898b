#![no_std]
#![no_main]
//! Tells whether a motion sensor's samples are strange to the model in flash, window by window.
//!
//! Each line brings what an accelerometer and a gyroscope measured; the windows' features are formed
//! here, as those that the model was trained on, and held against the threshold in its file.
//!
//! ```text
//! > feed 0.079106,0.394032,0.551444,0.351565,0.02397,0.633883
//! kept *1bd5a0c8
//!   … the twentieth sample, and then every other, ends a window:
//! window normal  -0.586829  0.769796 …  log_prob  -6.012345  bits bf163a6e … in 61234 instructions *…
//! ```
//!
//! `restart` begins another recording, and so does a line that is refused: it may have been a sample, and no window
//! goes on over one that is missing. The end of all input ends the program.

mod error;

use flowlet::{Model, Scratch, Threshold};
use flowlet_protocol::{Answer, Command, Facts, Form, Measured};
use flowlet_window::Windows;
use support::{Board, Models, Refused, Requests, ThisBoard, answer, debug, info, warn};

use error::Error;

/// Three axes of an accelerometer and three of a gyroscope.
const CHANNELS: usize = 6;

#[support::entry]
fn main() -> ! {
    support::run(serve)
}

fn serve(board: &mut ThisBoard) -> Result<(), Error> {
    let (model, file) = Models::new(support::model_region()).first()?;
    let mut detector = Detector::new(&model)?;
    info!("model {}", Facts::of(&model, file));
    info!("windows are strange by {}", detector.threshold);
    let mut requests = Requests::new();
    while let Some(said) = requests.command_or_refusal(board)? {
        match said {
            Ok(Command::Feed(measured)) => {
                let told = detector.feed(board, &measured)?;
                answer(board, measured.form, &told)?;
            }
            Ok(Command::Restart(form)) => {
                detector.windows.restart();
                answer(board, form, &Answer::Kept)?;
            }
            Ok(Command::Model) => {
                let facts = Facts::of(&model, file);
                answer(board, Form::Text, &Answer::Model(facts))?;
            }
            Ok(_) => answer(board, Form::Text, &Answer::help())?,
            Err(Refused) => detector.windows.restart(),
        }
    }
    Ok(())
}

struct Detector<'m> {
    model: &'m Model<'m>,
    threshold: Threshold,
    windows: Windows<CHANNELS>,
    scratch: Scratch<{ flowlet::MAX_SCRATCH_LEN }>,
}

impl<'m> Detector<'m> {
    fn new(model: &'m Model<'m>) -> Result<Self, Error> {
        let threshold = model.threshold().ok_or(Error::NoThreshold)?;
        if (model.dim(), model.context_dim()) != (CHANNELS, 0) {
            return Err(Error::Shape);
        }
        Ok(Self {
            model,
            threshold,
            windows: Windows::new(),
            scratch: Scratch::new(),
        })
    }

    /// The answer to a sample; after one that is not taken, windows begin anew.
    fn feed(&mut self, board: &mut ThisBoard, measured: &Measured) -> Result<Answer, Error> {
        let Some((sample, [])) = measured.values.split_first_chunk() else {
            warn!("no sample: {=usize} numbers", measured.values.len());
            self.windows.restart();
            return Ok(Answer::error(&Error::Shape));
        };
        let (told, spent) = board.count(|| self.tell(sample));
        Ok(match told? {
            None => Answer::Kept,
            Some((x, log_prob)) => {
                let is_strange = self.threshold.is_strange(log_prob);
                debug!(
                    "window: log_prob {=f32}, strange {=bool}",
                    log_prob, is_strange
                );
                Answer::Window {
                    x: x.into_iter().collect(),
                    log_prob,
                    is_strange,
                    spent,
                }
            }
        })
    }

    /// The features of the window that ends, if one does, and their log-probability.
    fn tell(&mut self, sample: &[f32; CHANNELS]) -> Result<Told, flowlet::Error> {
        let Some(x) = self.windows.push(sample) else {
            return Ok(None);
        };
        let mut density = self.model.density(&mut self.scratch)?;
        Ok(Some((x, density.log_prob(&x))))
    }
}

type Told = Option<([f32; CHANNELS], f32)>;
