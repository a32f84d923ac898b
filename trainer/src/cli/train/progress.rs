//! How far training has come, on standard error.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use flowlet_trainer::fit::Progress;
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use super::super::report::grouped;

/// Lines in a run, where they are not too dense or too sparse.
const LINES: usize = 10;
/// No line sooner after the last: a log is not for watching, and short runs need none.
const SHORTEST_PAUSE: Duration = Duration::from_secs(10);
/// A line at least this often, as far as there is news.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A bar on a terminal, and a line now and then elsewhere.
#[derive(Debug)]
pub(in crate::cli) struct ProgressReport {
    bar: Option<ProgressBar>,
    start: Instant,
    /// The first report, which a resumed run begins late with.
    first: Option<(usize, Duration)>,
    pace: Pace,
}

impl ProgressReport {
    pub(in crate::cli) fn new(steps: usize) -> Self {
        let style = ProgressStyle::with_template("{wide_bar} {msg}");
        let style = style.expect("the template is well-formed");
        let bar = || ProgressBar::new(steps as u64).with_style(style);
        Self {
            bar: stderr().is_terminal().then(bar),
            start: Instant::now(),
            first: None,
            pace: Pace::default(),
        }
    }

    pub(in crate::cli) fn show(&mut self, progress: &Progress) {
        let now = self.start.elapsed();
        let (first, since) = *self.first.get_or_insert((progress.step, now));
        let rate = (progress.step - first) as f64 / (now - since).as_secs_f64();
        if let Some(bar) = &self.bar {
            bar.set_position(progress.step as u64);
            bar.set_message(text(progress, rate));
        } else if self.pace.is_due(progress, now) {
            eprintln!("{}", text(progress, rate));
        }
    }

    pub(in crate::cli) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// `step 400 of 8,000: loss 1.1545, validation 1.1601, 1,020 steps/s, 7s left`
fn text(progress: &Progress, rate: f64) -> String {
    let Progress {
        step,
        steps,
        loss,
        validation,
        ..
    } = *progress;
    let mut text = format!(
        "step {} of {}: loss {loss:.4}, validation {validation:.4}",
        grouped(step),
        grouped(steps)
    );
    // Neither a number nor above 0 at the first report.
    if rate.is_finite() && rate > 0.0 {
        let left = Duration::from_secs_f64((steps - step) as f64 / rate);
        let rate = grouped(rate.round() as usize);
        text += &format!(", {rate} steps/s, {:#} left", HumanDuration(left));
    }
    text
}

/// Where the last line was.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    step: usize,
    time: Duration,
}

impl Pace {
    /// Whether a line is due, which then is the last one.
    fn is_due(&mut self, progress: &Progress, now: Duration) -> bool {
        let (steps, pause) = (progress.step - self.step, now - self.time);
        let is_due = pause >= SHORTEST_PAUSE
            && (pause >= LONGEST_PAUSE || steps >= progress.steps.div_ceil(LINES));
        if is_due {
            let (step, time) = (progress.step, now);
            *self = Self { step, time };
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(step: usize) -> Progress {
        Progress {
            step,
            steps: 1000,
            loss: 1.25,
            validation: 1.5,
        }
    }

    /// The steps with lines in a run with a look each hundredth, of so many seconds.
    fn lines(seconds: f64) -> Vec<usize> {
        let mut pace = Pace::default();
        let steps = (1..=100).map(|look| 10 * look);
        let is_due = |step: &usize| {
            let now = Duration::from_secs_f64(seconds * *step as f64 / 1000.0);
            pace.is_due(&at(*step), now)
        };
        steps.filter(is_due).collect()
    }

    #[test]
    fn a_run_has_ten_lines_unless_it_is_short_or_long() {
        assert!(lines(9.0).is_empty());
        assert_eq!(lines(25.0), [400, 800]);
        let tenths: Vec<usize> = (1..=10).map(|tenth| 100 * tenth).collect();
        assert_eq!(lines(200.0), tenths);
        assert_eq!(lines(600.0).len(), 20);
    }

    #[test]
    fn a_line_tells_loss_rate_and_time_left() {
        assert_eq!(
            text(&at(400), 20.0),
            "step 400 of 1,000: loss 1.2500, validation 1.5000, 20 steps/s, 30s left"
        );
        let first = "step 1 of 1,000: loss 1.2500, validation 1.5000";
        assert_eq!(text(&at(1), f64::NAN), first);
        assert_eq!(text(&at(1), 0.0), first);
    }
}
