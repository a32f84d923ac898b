//! Samples on their way to a file and to whoever looks on.

use std::io::{self, IsTerminal, Stdout, Write};

use flowlet::Model;
use flowlet_trainer::data::table::RowWriter;
use ndarray::ArrayView2;

use super::super::on_board::columns;
use super::screen::Screen;

/// Takes samples: as rows of CSV, and in a terminal as a picture.
pub(super) struct Rows<'o> {
    /// Where rows go, until the first tells how many columns they have.
    outputs: Vec<&'o mut dyn Write>,
    writers: Vec<RowWriter<'o>>,
    screen: Option<Screen>,
}

impl<'o> Rows<'o> {
    /// Rows for a file, if there is one, and for standard output; no picture where other lines come between.
    pub(super) fn new(
        csv: Option<&'o mut dyn Write>,
        stdout: &'o mut Stdout,
        has_log: bool,
    ) -> Self {
        let mut outputs: Vec<&mut dyn Write> = csv.into_iter().collect();
        let screen = (stdout.is_terminal() && !has_log).then(Screen::new);
        if screen.is_none() {
            outputs.push(stdout);
        }
        Self {
            outputs,
            writers: vec![],
            screen,
        }
    }

    /// Whether no sample has come.
    pub(super) fn is_empty(&self) -> bool {
        self.writers.is_empty() && !self.outputs.is_empty()
    }

    /// Takes a sample.
    pub(super) fn add(
        &mut self,
        x: &[f32],
        log_prob: Option<f32>,
        model: Option<&Model<'_>>,
    ) -> io::Result<()> {
        if self.writers.is_empty() {
            let names = columns(model, x.len(), log_prob.is_some());
            let opened = self.outputs.drain(..);
            let opened = opened.map(|output| RowWriter::new(output, &names));
            self.writers = opened.collect::<io::Result<_>>()?;
            self.screen
                .iter_mut()
                .for_each(|screen| screen.name(&names));
        }
        let row: Vec<f32> = x.iter().copied().chain(log_prob).collect();
        let view = ArrayView2::from_shape((1, row.len()), &row).expect("a row is a row");
        for writer in &mut self.writers {
            writer.write(view)?;
            writer.flush()?;
        }
        match &mut self.screen {
            Some(screen) => screen.add(row),
            None => Ok(()),
        }
    }

    /// Shows what was not shown yet.
    pub(super) fn finish(self) -> io::Result<()> {
        match self.screen {
            Some(mut screen) => screen.draw(),
            None => Ok(()),
        }
    }
}
