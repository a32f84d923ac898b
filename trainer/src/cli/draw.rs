//! What samples are drawn from, here or on a board.

use std::num::NonZeroU16;

use anyhow::ensure;
use flowlet::{Kind, Model};

use super::context;
use super::numbers::step_count;
use super::tables::items;

#[derive(Debug, clap::Args)]
pub(super) struct Draw {
    /// Seed of the noise; 0 unless given
    #[arg(long, allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Euler steps of a flow-matching model, instead of its own
    #[arg(long, value_name = "N", value_parser = step_count(), allow_negative_numbers = true)]
    pub(super) steps: Option<NonZeroU16>,
    /// Context for all samples: NAME=VALUE for each, a category without its NAME= where only one column
    /// has it, or all numbers in order; one with a comma is quoted as in CSV: '"kind=a, b",speed=2'
    #[arg(long, value_name = "VALUE,...", allow_hyphen_values = true)]
    context: Vec<String>,
}

impl Draw {
    /// That nothing of it is given to the detector.
    pub(super) fn check_absent(&self) -> anyhow::Result<()> {
        ensure!(
            self.seed.is_none() && self.steps.is_none() && self.context.is_empty(),
            "the detector draws no samples: leave out --seed, --steps and --context"
        );
        Ok(())
    }

    /// The seed of the noise.
    pub(super) fn seed(&self) -> u64 {
        self.seed.unwrap_or(0)
    }

    /// That only a flow-matching model is given a number of steps.
    pub(super) fn check_steps(&self, model: &Model<'_>) -> anyhow::Result<()> {
        check_steps(self.steps, model)
    }

    /// The context that the model takes.
    pub(super) fn context(&self, model: &Model<'_>) -> anyhow::Result<Vec<f32>> {
        context::parse(model, &items("--context", &self.context)?)
    }
}

/// That only a flow-matching model is given a number of steps.
pub(super) fn check_steps(steps: Option<NonZeroU16>, model: &Model<'_>) -> anyhow::Result<()> {
    ensure!(
        steps.is_none() || matches!(model.kind(), Kind::FlowMatching { .. }),
        "the model is a RealNVP, which takes no steps: leave out --steps"
    );
    Ok(())
}
