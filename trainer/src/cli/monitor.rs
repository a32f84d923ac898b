//! `flowlet monitor`.

mod rows;
mod scatter;
mod screen;

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{bail, ensure};
use flowlet::Model;
use flowlet_protocol::Draw;
use flowlet_trainer::board::exchange::{Batch, check_model, draw, patience};
use flowlet_trainer::board::flash::Rtt;
use flowlet_trainer::board::{Board, BoardError, Line, LineError};
use flowlet_trainer::model_file::ModelFile;
use flowlet_trainer::output::{check_writable, write_whole};

use super::log::Logged;
use super::numbers::{MOST, count, step_count};
use super::on_board::board;
use super::report::grouped;
use super::serial::{Serial, listed};
use super::tables::items;
use super::train::interrupt::stoppable;
use super::{check_apart, context, draw as draw_options};
use rows::Rows;

/// Times in a row that all samples asked for may be lost: more would never end.
const MOST_EMPTY: u32 = 3;

/// Samples that are asked for at a time: few, so that Ctrl-C leaves no long answer behind.
const BATCH: u32 = 50;

/// Shows a board's samples as they come, as numbers and as a picture
///
/// A board of silicon has the sampler by `flowlet flash` and answers over its serial port, with noise from its
/// own random source; with its model file, columns have names, and another model on the board is an error. One of
/// QEMU's needs the file. In a terminal the newest samples are drawn; elsewhere, and beside a log, each is a line.
/// Ctrl-C ends it, as SIGTERM and a terminal that closes do, and what was written is kept. With --log, firmware that
/// `flowlet flash --log` wrote tells by the debug probe what it does; probe-rs reads that, and finds its texts in
/// the ELF file that `flash` kept.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowlet monitor --port /dev/ttyACM0
  flowlet monitor moons.flow --port /dev/ttyACM0 -o samples.csv -n 10000
  flowlet monitor moons.flow --board qemu-m4 --log
  flowlet monitor --board nrf52840-dk --port /dev/ttyACM0 --log --firmware sampler-nrf52840-dk.elf")]
pub(super) struct Arguments {
    /// The model file: for a board of QEMU's, and for the columns' names
    model: Option<PathBuf>,
    /// The board, one of those that `flowlet boards` lists
    #[arg(long, value_name = "BOARD", value_parser = board)]
    board: Option<Board>,
    #[command(flatten)]
    serial: Serial,
    /// Number of samples; without end unless given
    #[arg(
        short,
        long,
        value_name = "N",
        value_parser = count::<u32>(1..=MOST),
        allow_negative_numbers = true
    )]
    n: Option<u32>,
    /// Seed of the noise, instead of the board's own random source
    #[arg(long, allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Euler steps of a flow-matching model, instead of its own; needs the model file
    #[arg(
        long,
        value_name = "N",
        value_parser = step_count(),
        allow_negative_numbers = true,
        requires = "model"
    )]
    steps: Option<std::num::NonZeroU16>,
    /// Context for all samples, as `flowlet sample` takes it; needs the model file
    #[arg(
        long,
        value_name = "VALUE,...",
        allow_hyphen_values = true,
        requires = "model"
    )]
    context: Vec<String>,
    /// The sampler's firmware for a board of QEMU's, where it has been built: needs no compiler; of a board of
    /// silicon, the firmware that it logs by
    #[arg(long, value_name = "PROGRAM.elf")]
    firmware: Option<PathBuf>,
    #[command(flatten)]
    logged: Logged,
    /// The debug probe that a log comes by, where there is more than one: VID:PID or VID:PID:SERIAL
    #[arg(long, value_name = "PROBE", requires = "log")]
    probe: Option<String>,
    /// Where to write the samples as CSV
    #[arg(short, long, value_name = "FILE.csv")]
    output: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let read = [arguments.model.as_deref(), arguments.firmware.as_deref()];
    check_apart(&read, &[arguments.output.as_deref()])?;
    let file = arguments
        .model
        .as_deref()
        .map(ModelFile::read)
        .transpose()?;
    let model = file.as_ref().map(ModelFile::model).transpose()?;
    if let Some(path) = &arguments.output {
        check_writable(path)?;
    }
    let ask = ask(arguments, model.as_ref())?;
    let _rtt = rtt(arguments)?;
    let mut line = line(arguments, file.as_ref())?;
    let patience = patience(arguments.board, model.as_ref(), &ask);
    // Before the file is opened: it is written over by samples alone.
    line.begin(patience)?;
    if let Some(file) = &file {
        check_model(&mut line, file, patience)?;
    }
    let mut session = Session {
        line,
        ask,
        patience,
        model: model.as_ref(),
        left: arguments.n,
        count: 0,
        lost: 0,
        empty: 0,
    };
    let mut stdout = io::stdout();
    let has_log = arguments.logged.log.is_some();
    match &arguments.output {
        Some(path) => {
            let mut told = Ok(());
            // Whatever ends the session, the rows that came are kept; without any, so is the file.
            let written = stoppable(|stop| {
                write_whole(path, |file| {
                    let mut rows = Rows::new(Some(file), &mut stdout, has_log);
                    told = session.run(stop, &mut rows);
                    match told.is_err() && rows.is_empty() {
                        true => Err(io::Error::other("no sample came")),
                        false => rows.finish(),
                    }
                })
            })?;
            told?;
            written?;
        }
        None => stoppable(|stop| {
            let mut rows = Rows::new(None, &mut stdout, has_log);
            session.run(stop, &mut rows)?;
            anyhow::Ok(rows.finish()?)
        })??,
    }
    session.tell_lost();
    Ok(())
}

/// What the board is asked for, again and again.
fn ask(arguments: &Arguments, model: Option<&Model<'_>>) -> anyhow::Result<Draw> {
    let mut ask = Draw::new(BATCH);
    ask.step_count = arguments.steps;
    ask.seed = arguments.seed;
    if let Some(model) = model {
        draw_options::check_steps(arguments.steps, model)?;
        let numbers = context::parse(model, &items("--context", &arguments.context)?)?;
        ask.context = numbers.into_iter().collect();
    }
    let is_emulated = arguments.board.is_some_and(Board::is_emulated);
    if is_emulated {
        // The same noise in each answer would show the same samples.
        ask.seed.get_or_insert(0);
    }
    Ok(ask)
}

fn line(arguments: &Arguments, file: Option<&ModelFile>) -> anyhow::Result<Line> {
    match (arguments.board, &arguments.serial.port) {
        (Some(board), _) if board.is_emulated() => {
            arguments.serial.line(board, false)?;
            let Some(file) = file else {
                bail!("{board} is emulated and has no model of its own: give a model file");
            };
            let (firmware, log) = (arguments.firmware.as_deref(), arguments.logged.log());
            Ok(Line::emulate(board, file, firmware, log.as_ref())?)
        }
        (_, Some(port)) => {
            ensure!(
                arguments.firmware.is_none() || arguments.logged.log.is_some(),
                "the board has its firmware: leave out --firmware, or write it by `flowlet flash`"
            );
            Ok(Line::open(port, arguments.serial.baud())?)
        }
        (_, None) => bail!(no_port()),
    }
}

fn no_port() -> String {
    format!(
        "say where the board is connected, with --port ({}), or try one of QEMU's with --board",
        listed()
    )
}

/// The log of a board of silicon, if it is asked for.
fn rtt(arguments: &Arguments) -> anyhow::Result<Option<Rtt>> {
    let is_emulated = arguments.board.is_some_and(Board::is_emulated);
    let Some(log) = arguments.logged.log().filter(|_| !is_emulated) else {
        ensure!(
            arguments.probe.is_none(),
            "a board of QEMU's has no debug probe: leave out --probe"
        );
        return Ok(None);
    };
    // Before a debug probe is searched for.
    ensure!(arguments.serial.port.is_some(), no_port());
    let (Some(board), Some(program)) = (arguments.board, &arguments.firmware) else {
        bail!(
            "a log is read by its board and its firmware: give --board, and by --firmware the ELF file that `flowlet flash --log` kept"
        );
    };
    let probe = arguments.probe.clone();
    Ok(Some(Rtt::attach(board, program, probe, &log)?))
}

struct Session<'s> {
    line: Line,
    ask: Draw,
    /// How long the board may take to answer.
    patience: Duration,
    model: Option<&'s Model<'s>>,
    /// Samples that are still to come, if there is an end.
    left: Option<u32>,
    /// Samples that came.
    count: usize,
    /// Samples that did not.
    lost: usize,
    /// Times in a row that none came.
    empty: u32,
}

impl Session<'_> {
    /// Asks until there are enough samples, or `stop` is set.
    fn run(&mut self, stop: &AtomicBool, rows: &mut Rows<'_>) -> anyhow::Result<()> {
        while !stop.load(Ordering::Relaxed) && self.left != Some(0) {
            self.ask.count = self.left.map_or(BATCH, |left| left.min(BATCH));
            let mut taken = Ok(());
            let batch = draw(
                &mut self.line,
                &self.ask,
                self.patience,
                &mut |x, log_prob| {
                    taken = rows.add(x, log_prob, self.model);
                    match taken.is_err() || stop.load(Ordering::Relaxed) {
                        true => ControlFlow::Break(()),
                        false => ControlFlow::Continue(()),
                    }
                },
            );
            taken?;
            match batch {
                // In a terminal, Ctrl-C ends QEMU too.
                Err(_) if stop.load(Ordering::Relaxed) => break,
                batch => self.next(&batch?)?,
            }
        }
        Ok(())
    }

    fn next(&mut self, batch: &Batch) -> Result<(), BoardError> {
        self.count += batch.count as usize;
        if batch.is_whole {
            self.lost += self.ask.count.saturating_sub(batch.count) as usize;
        }
        self.empty = match batch.count {
            0 => self.empty + 1,
            _ => 0,
        };
        if self.empty == MOST_EMPTY {
            return Err(LineError::Lost {
                name: self.line.name().into(),
                lost: self.lost,
                count: self.count + self.lost,
            }
            .into());
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(batch.count);
        }
        if let Some(seed) = &mut self.ask.seed {
            *seed = seed.wrapping_add(1);
        }
        Ok(())
    }

    /// Tells on standard error how many samples the line has lost.
    fn tell_lost(&self) {
        if self.lost > 0 {
            eprintln!(
                "note: {} of {} samples were lost on the way from {}: check the cable",
                grouped(self.lost),
                grouped(self.count + self.lost),
                self.line.name()
            );
        }
    }
}
