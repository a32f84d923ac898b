//! What goes on beside training: reports, an end before its time, checkpoints.

use std::fmt;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::Progress;

/// Nobody sets it.
static NEVER: AtomicBool = AtomicBool::new(false);

/// What a run tells, heeds and keeps while it trains. None of it shows in the weights, but that a
/// run that is stopped ends early.
pub struct Controls<'a> {
    /// Called after each look at the validation rows.
    pub report: &'a mut dyn FnMut(&Progress),
    /// Once it is true, training ends after the step under way; the best weights so far are kept.
    pub stop: &'a AtomicBool,
    /// A file to keep the state of training in: written whole or not at all, at the end of a step,
    /// as often as it costs no more than a fiftieth of the time.
    pub checkpoint: Option<&'a Path>,
    /// A checkpoint to go on from, to the weights that the unbroken run would have ended with.
    pub resume: Option<&'a Path>,
}

impl<'a> Controls<'a> {
    /// Reports only.
    pub fn new(report: &'a mut dyn FnMut(&Progress)) -> Self {
        Self {
            report,
            stop: &NEVER,
            checkpoint: None,
            resume: None,
        }
    }
}

impl fmt::Debug for Controls<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controls")
            .field("stop", self.stop)
            .field("checkpoint", &self.checkpoint)
            .field("resume", &self.resume)
            .finish_non_exhaustive()
    }
}

/// Why training came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All steps are done.
    Steps,
    /// As many looks in a row as [`FitOptions::patience`](super::FitOptions::patience) brought
    /// nothing better.
    Patience,
    /// [`Controls::stop`] was set.
    Stopped,
}
