//! `flowlet flash`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::bail;
use clap::ValueEnum;
use flowlet_trainer::board::flash::{Firmware, Flash, Place, Step, flash, probed_chip};
use flowlet_trainer::board::{Board, Example as Program, Level};
use flowlet_trainer::model_file::ModelFile;
use flowlet_trainer::output::check_writable;
use indicatif::ProgressBar;

use super::check_apart;
use super::log::{level, levels};
use super::on_board::board;
use super::report::{Report, grouped};

/// Writes a model, and the firmware that runs it, to a board of silicon
///
/// The firmware need be written once; then `--model-only` replaces the model, which needs no compiler. All is
/// checked before anything is written: that the file is a model of this version, that it fits the board's flash
/// and RAM, that it is one for the example, and that the chip is the board's. `flowlet boards` tells which tool
/// writes to which board, and whether it is installed. With --log, the firmware logs by its debug probe what it
/// does, and its ELF file, which has the texts, is kept as EXAMPLE-BOARD.elf: `flowlet monitor --log` shows the
/// log of an example that samples, `probe-rs attach` that of any.
///
/// A board with the example `update` keeps which of its two slots counts: name that example, with --model-only
/// too, for the model that is flashed to be the one that it starts with.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  flowlet flash moons.flow --board nrf52840-dk
  flowlet flash moons.flow --board nrf52840-dk --model-only
  flowlet flash moons.flow --board nrf52840-dk --example update
  flowlet flash moons.flow --board nrf52840-dk --log=debug
  flowlet flash moons.flow --board pico -o moons.uf2")]
pub(super) struct Arguments {
    /// The model file; more than one for compare
    #[arg(required = true)]
    models: Vec<PathBuf>,
    /// The board, one of silicon that `flowlet boards` lists
    #[arg(long, value_name = "BOARD", value_parser = board)]
    board: Board,
    /// What runs on it; the sampler is built unless told otherwise
    #[arg(long, value_enum)]
    example: Option<Example>,
    /// Write the model alone: the firmware is on the board already
    #[arg(long, conflicts_with = "firmware")]
    model_only: bool,
    /// The firmware for the board, where it has been built: needs no compiler
    #[arg(long, value_name = "PROGRAM.elf")]
    firmware: Option<PathBuf>,
    /// The debug probe, where there is more than one: VID:PID or VID:PID:SERIAL
    #[arg(long, value_name = "PROBE", conflicts_with = "drive")]
    probe: Option<String>,
    /// The serial port, of a board that is flashed by it
    #[arg(long, value_name = "PORT")]
    port: Option<String>,
    /// Where the drive of a Pico's bootloader is mounted, where it is not found
    #[arg(long, value_name = "FOLDER")]
    drive: Option<PathBuf>,
    /// Write a UF2 file for a Pico, and no board
    #[arg(short, long, value_name = "FILE.uf2", conflicts_with_all = ["probe", "drive"])]
    output: Option<PathBuf>,
    #[arg(
        long,
        help = format!(
            "Build firmware that logs by its debug probe, up to LEVEL: {}, info unless given; keeps EXAMPLE-BOARD.elf",
            levels()
        ),
        value_name = "LEVEL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "info",
        value_parser = level
    )]
    log: Option<Level>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The programs there are for boards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Example {
    /// Samples, and their log-probabilities where the model has them
    Sampler,
    /// What each of several models takes
    Compare,
    /// Whether windows of a motion sensor's samples are strange
    Detector,
    /// Samples, and takes a new model from `flowlet update`
    Update,
    /// Samples beside other tasks
    Embassy,
}

impl From<Example> for Program {
    fn from(example: Example) -> Self {
        match example {
            Example::Sampler => Self::Sampler,
            Example::Compare => Self::Compare,
            Example::Detector => Self::Detector,
            Example::Update => Self::Update,
            Example::Embassy => Self::Embassy,
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut read: Vec<_> = arguments.models.iter().map(|path| Some(&**path)).collect();
    read.push(arguments.firmware.as_deref());
    check_apart(&read, &[arguments.output.as_deref()])?;
    let kept = kept(arguments)?;
    let files = arguments.models.iter().map(|path| ModelFile::read(path));
    let files = files.collect::<Result<Vec<_>, _>>()?;
    let files: Vec<&ModelFile> = files.iter().collect();
    let spinner = ProgressBar::new_spinner();
    spinner.enable_steady_tick(Duration::from_millis(100));
    let done = flash(
        &Flash {
            board: arguments.board,
            files: &files,
            example: example(arguments),
            firmware: firmware(arguments),
            log: kept.as_ref().map(|(level, path)| (*level, path.as_path())),
            place: place(arguments),
        },
        &mut |step| {
            spinner.set_message(match step {
                Step::Building => "building the firmware",
                Step::Writing => "writing",
            });
        },
    );
    spinner.finish_and_clear();
    done?;
    let mut report = Report::default();
    add_written(
        &mut report,
        arguments,
        &files,
        kept.as_ref().map(|kept| &*kept.1),
    );
    Ok(report.print(arguments.json)?)
}

/// What runs on the board: of a program that is there or given, as much as is said.
fn example(arguments: &Arguments) -> Option<Program> {
    let is_built = !arguments.model_only && arguments.firmware.is_none();
    let said = arguments.example.map(Program::from);
    said.or(is_built.then_some(Program::Sampler))
}

fn firmware(arguments: &Arguments) -> Firmware<'_> {
    match (&arguments.firmware, example(arguments)) {
        (Some(path), _) => Firmware::Given(path),
        (None, Some(example)) if !arguments.model_only => Firmware::Built(example),
        (None, _) => Firmware::Kept,
    }
}

fn place(arguments: &Arguments) -> Place {
    Place {
        probe: arguments.probe.clone(),
        port: arguments.port.clone(),
        drive: arguments.drive.clone(),
        file: arguments.output.clone(),
    }
}

/// What firmware that is built logs, if it shall, and where its ELF file is kept.
fn kept(arguments: &Arguments) -> anyhow::Result<Option<(Level, PathBuf)>> {
    let Some(level) = arguments.log else {
        return Ok(None);
    };
    let Firmware::Built(example) = firmware(arguments) else {
        bail!(
            "--log is for firmware that is built: leave it out, or leave out --firmware and --model-only"
        );
    };
    let path = PathBuf::from(format!("{}-{}.elf", example.name(), arguments.board));
    check_writable(&path)?;
    Ok(Some((level, path)))
}

fn add_written(
    report: &mut Report,
    arguments: &Arguments,
    files: &[&ModelFile],
    kept: Option<&Path>,
) {
    let board = arguments.board;
    report.fact("board", board.name(), "board", board.description());
    let program = match firmware(arguments) {
        Firmware::Kept => "not written: the one on the board stays".into(),
        Firmware::Given(path) => shown(path),
        Firmware::Built(example) => example.name().to_owned(),
    };
    report.fact("firmware", program.clone(), "firmware", program);
    if let Some(path) = kept {
        report.fact("kept", shown(path), "kept in", shown(path));
    }
    let len: usize = files.iter().map(|file| file.bytes().len()).sum();
    let (room, what) = match example(arguments) {
        Some(Program::Update) => (board.slot_len(), "of a slot"),
        _ => (board.model_len(), "for models"),
    };
    let text = format!("{} of the {} bytes {what}", grouped(len), grouped(room));
    report.fact("bytes", len, "model", text);
    let is_monitored = !matches!(
        example(arguments),
        Some(Program::Compare | Program::Detector)
    );
    match &arguments.output {
        Some(path) => {
            let text = format!("{}: copy it to the drive RPI-RP2", shown(path));
            report.fact("output", shown(path), "file", text);
        }
        None => {
            let log = kept.map(|path| format!(" --log --firmware {}", shown(path)));
            let log = log.unwrap_or_default();
            let text = match is_monitored {
                false => "its serial line, 115,200 baud, which answers `help`".into(),
                true => format!("flowlet monitor --board {board} --port PORT{log}"),
            };
            report.fact("output", (), "see it by", text);
        }
    }
    if let (Some(path), Some(chip)) = (kept, probed_chip(board))
        && (arguments.output.is_some() || !is_monitored)
    {
        let command = format!("probe-rs attach --chip {chip} {}", shown(path));
        report.fact("log", command.clone(), "its log by", command);
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
