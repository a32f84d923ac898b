//! What is asked of a board, and how far it has come.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use flowlet::Model;
use flowlet_trainer::board::{Board, Progress, Request, default_n, macs_per_sample};
use flowlet_trainer::data::table::numbered_names;
use flowlet_trainer::error::Error;
use indicatif::{ProgressBar, ProgressStyle};

use super::draw::Draw;
use super::log::Logged;
use super::numbers::{MOST, count};

/// The board, and the samples that it draws.
#[derive(Debug, clap::Args)]
pub(super) struct OnBoard {
    /// The board, one of those that `flowlet boards` lists
    #[arg(long, value_name = "BOARD", default_value = "qemu-m4", value_parser = board)]
    pub(super) board: Board,
    /// Number of samples; as many as the board does in a few seconds unless given
    #[arg(
        short,
        long,
        value_name = "N",
        value_parser = count::<u32>(1..=MOST),
        allow_negative_numbers = true
    )]
    pub(super) n: Option<u32>,
    #[command(flatten)]
    pub(super) draw: Draw,
    /// The firmware for the board, where it has been built: needs no compiler
    #[arg(long, value_name = "PROGRAM.elf")]
    pub(super) firmware: Option<PathBuf>,
    #[command(flatten)]
    pub(super) logged: Logged,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

impl OnBoard {
    /// What the board is asked for, of one of these models: as many samples as it does of each in a few
    /// seconds and at most `most`, unless told otherwise.
    pub(super) fn request(&self, models: &[Model<'_>], most: u32) -> anyhow::Result<Request> {
        let (mut n, mut context) = (most, None);
        for model in models {
            let macs = macs_per_sample(model, self.draw.steps);
            n = n.min(default_n(self.board, macs));
            let of_model = self.draw.context(model)?;
            ensure!(
                *context.get_or_insert_with(|| of_model.clone()) == of_model,
                "--context means other numbers to one model than to another: choose models of the same context"
            );
        }
        Ok(Request {
            seed: self.draw.seed(),
            step_count: self.draw.steps,
            context: context.context("there is no model: give its file")?,
            program: self.firmware.clone(),
            log: self.logged.log(),
            ..Request::new(self.n.unwrap_or(n))
        })
    }
}

/// The names of a sample's columns, its log-probability among them.
pub(super) fn columns(model: Option<&Model<'_>>, dim: usize, has_log_prob: bool) -> Vec<String> {
    let labels = model.into_iter().flat_map(Model::labels).take(dim);
    let mut names: Vec<String> = labels.map(Into::into).collect();
    if names.len() != dim {
        names = numbered_names(dim);
    }
    names.extend(has_log_prob.then(|| "log_prob".into()));
    names
}

/// The number with four decimals, or with an exponent where those are too many or tell nothing.
pub(super) fn shown(x: f32) -> String {
    if x == 0.0 || (1e-3..1e5).contains(&x.abs()) {
        format!("{x:.4}")
    } else {
        format!("{x:.3e}")
    }
}

/// Parses a board's name.
pub(super) fn board(name: &str) -> Result<Board, String> {
    Board::from_name(name).map_err(|error| error.to_string())
}

/// Shows how far `work` has come with what is asked for; once the program runs, its log shows that, if there is one.
pub(super) fn with_progress<T>(
    request: &Request,
    work: impl FnOnce(&mut dyn FnMut(Progress)) -> Result<T, Error>,
) -> anyhow::Result<T> {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} samples {msg}")
        .expect("the template is well-formed");
    let bar = ProgressBar::new(u64::from(request.n)).with_style(style);
    let outcome = work(&mut |progress| match progress {
        Progress::Building => bar.set_message("(building the firmware)"),
        Progress::Sampled(_) if bar.is_finished() => {}
        Progress::Sampled(_) if request.log.is_some() => bar.finish_and_clear(),
        Progress::Sampled(n) => {
            bar.set_message("");
            bar.set_position(u64::from(n));
        }
    });
    bar.finish_and_clear();
    Ok(outcome?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_size_are_short() {
        let numbers = [0.0, -0.5, 12_345.678, 1e5, -4.975_571e-31, f32::MAX];
        let expected = [
            "0.0000",
            "-0.5000",
            "12345.6777",
            "1.000e5",
            "-4.976e-31",
            "3.403e38",
        ];
        assert_eq!(numbers.map(shown), expected);
    }
}
