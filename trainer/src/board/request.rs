//! What a board is asked for, and how long that may take.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use flowlet::{Kind, Model};
use flowlet_protocol::{Draw, Form};

use super::{Board, BoardError, Log};

/// What a board shall sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Number of samples.
    pub n: u32,
    /// Seed of the board's random source, `Xoshiro128PlusPlus`.
    pub seed: u64,
    /// Euler steps, where not the model's own number; a RealNVP takes none.
    pub step_count: Option<NonZeroU16>,
    /// What all samples are conditioned on: as many numbers as the model takes.
    pub context: Vec<f32>,
    /// The firmware, an ELF file; built from this checkout where there is none.
    pub program: Option<PathBuf>,
    /// Where the firmware's log goes, if it shall have one.
    pub log: Option<Log>,
    /// When the run is stopped; by default ten times what it may take, and a minute.
    pub time_limit: Option<Duration>,
}

/// Multiply-adds that the board does for one sample: with its log-probability for a RealNVP, with
/// all its steps for flow matching.
pub fn macs_per_sample(model: &Model<'_>, step_count: Option<NonZeroU16>) -> u64 {
    let passes = match model.kind() {
        Kind::RealNvp { .. } => 2,
        Kind::FlowMatching { step_count: own } => step_count.unwrap_or(own).get(),
    };
    u64::from(passes) * model.mac_count() as u64
}

/// As many samples as the board does in a few seconds, 1 to 1000.
pub fn default_n(board: Board, macs_per_sample: u64) -> u32 {
    const FEW_SECONDS: Duration = Duration::from_secs(3);
    let n = FEW_SECONDS.as_nanos() / board.time(macs_per_sample).as_nanos().max(1);
    n.clamp(1, 1000) as u32
}

fn check_context(model: &Model<'_>, context: &[f32]) -> Result<(), BoardError> {
    if context.len() != model.context_dim() {
        return Err(BoardError::Context {
            expected: model.context_dim(),
            found: context.len(),
        });
    }
    match context.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(BoardError::NotFinite { index }),
        None => Ok(()),
    }
}

impl Request {
    /// `n` samples with the seed 0, given nothing, from firmware that is built for them.
    pub fn new(n: u32) -> Self {
        Self {
            n,
            seed: 0,
            step_count: None,
            context: vec![],
            program: None,
            log: None,
            time_limit: None,
        }
    }

    /// The samples and the form of the answer, as the board is asked for them.
    ///
    /// # Errors
    ///
    /// [`BoardError::Context`] and [`BoardError::NotFinite`] where the model takes no such context.
    pub(super) fn draw(&self, model: &Model<'_>, form: Form) -> Result<Draw, BoardError> {
        check_context(model, &self.context)?;
        Ok(Draw {
            seed: Some(self.seed),
            step_count: self.step_count,
            context: self.context.iter().copied().collect(),
            form,
            ..Draw::new(self.n)
        })
    }
}

pub(super) fn time_limit(board: Board, model: &Model<'_>, request: &Request) -> Duration {
    request.time_limit.unwrap_or_else(|| {
        let mac_count = macs_per_sample(model, request.step_count);
        let mac_count = mac_count.saturating_mul(u64::from(request.n));
        Duration::from_secs(60).saturating_add(board.time(mac_count.saturating_mul(10)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_n_is_from_1_to_1000() {
        for board in Board::ALL {
            assert_eq!(default_n(board, 0), 1000);
            assert_eq!(default_n(board, u64::MAX), 1);
        }
        assert!(default_n(Board::QemuM0, 10_000) < default_n(Board::QemuM4, 10_000));
    }
}
