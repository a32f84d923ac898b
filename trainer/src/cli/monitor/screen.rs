//! The newest samples in a terminal: a picture, and numbers below it.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use console::Term;

use super::super::on_board::shown;
use super::super::report::grouped;
use super::scatter::{Limits, scatter};

/// Samples that are drawn, the newest.
const DRAWN: usize = 3000;
/// Samples that are written.
const WRITTEN: usize = 5;
/// How often the screen is drawn: as often as an eye follows.
const PAUSE: Duration = Duration::from_millis(100);
/// Most characters of the picture, in which a plane looks like a plane.
const MOST_COLUMNS: usize = 80;
const MOST_LINES: usize = 30;

/// What is seen.
#[derive(Debug)]
pub(super) struct Screen {
    names: Vec<String>,
    newest: VecDeque<Vec<f32>>,
    count: usize,
    limits: [Limits; 2],
    begun: Instant,
    drawn: Option<Instant>,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self {
            names: vec![],
            newest: VecDeque::new(),
            count: 0,
            limits: [Limits::default(); 2],
            begun: Instant::now(),
            drawn: None,
        }
    }

    /// Takes the names of the columns.
    pub(super) fn name(&mut self, names: &[String]) {
        self.names = names.to_vec();
    }

    /// Takes a sample, and draws if it is time.
    pub(super) fn add(&mut self, row: Vec<f32>) -> io::Result<()> {
        self.count += 1;
        for (limits, x) in self.limits.iter_mut().zip(&row) {
            limits.include(*x);
        }
        self.newest.push_back(row);
        if self.newest.len() > DRAWN {
            self.newest.pop_front();
        }
        match self.drawn {
            Some(drawn) if drawn.elapsed() < PAUSE => Ok(()),
            _ => self.draw(),
        }
    }

    /// Draws over what was there.
    pub(super) fn draw(&mut self) -> io::Result<()> {
        self.drawn = Some(Instant::now());
        let (lines, columns) = Term::stdout().size_checked().unwrap_or((24, 80));
        let text = self.text(columns.into(), lines.into());
        let mut output = io::stdout().lock();
        // To the corner, each line with an end that clears what was behind it, then all below.
        write!(output, "\x1b[H")?;
        for line in text.lines() {
            writeln!(output, "{line}\x1b[K")?;
        }
        write!(output, "\x1b[J")?;
        output.flush()
    }

    fn text(&self, columns: usize, lines: usize) -> String {
        let seconds = self.begun.elapsed().as_secs_f64();
        let rate = self.count as f64 / seconds.max(1e-3);
        let mut text = format!(
            "{} samples, {rate:.0} a second. Ctrl-C ends.\n",
            grouped(self.count)
        );
        let height = lines.saturating_sub(WRITTEN + 5).min(MOST_LINES);
        let width = columns.saturating_sub(1).min(MOST_COLUMNS);
        let points: Vec<[f32; 2]> = self.newest.iter().filter_map(|row| point(row)).collect();
        if let [horizontal, vertical, ..] = &self.names[..] {
            text += &format!(
                "{vertical} from {} to {}, over {horizontal} from {} to {}\n",
                shown(self.limits[1].low),
                shown(self.limits[1].high),
                shown(self.limits[0].low),
                shown(self.limits[0].high)
            );
            text += &scatter(&points, self.limits, width, height);
        }
        let fitting = (width / 10).min(self.names.len());
        text += &cells(self.names[..fitting].iter().cloned());
        for row in self.newest.iter().rev().take(WRITTEN) {
            text += &cells(row[..fitting].iter().map(|x| shown(*x)));
        }
        text
    }
}

/// The first two numbers: two dimensions, or one and its log-probability.
fn point(row: &[f32]) -> Option<[f32; 2]> {
    row.first_chunk().copied()
}

fn cells(cells: impl Iterator<Item = String>) -> String {
    let cells: String = cells.map(|cell| format!("{cell:>10.9}")).collect();
    cells + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_samples_are_written_and_all_are_counted() {
        let mut screen = Screen::new();
        screen.name(&["x".into(), "y".into(), "log_prob".into()]);
        screen.drawn = Some(Instant::now() + Duration::from_secs(3600));
        for i in 0..5000 {
            screen.add(vec![i as f32, -0.5, 1.0]).unwrap();
        }
        let text = screen.text(80, 40);
        assert!(text.starts_with("5,000 samples"), "{text}");
        assert!(text.contains("over x from 0.0000 to 4999.0000"), "{text}");
        assert!(text.contains(" 4999.0000   -0.5000    1.0000\n"), "{text}");
        assert!(text.lines().count() < 40, "{text}");
        assert!(text.lines().all(|line| line.chars().count() < 80), "{text}");
    }
}
