//! `flowlet monitor`, and `flowlet verify` over a serial line: of a board that a test plays behind a
//! pseudo-terminal, and of QEMU's.

#![cfg(target_os = "linux")]

use std::os::fd::{AsRawFd, OwnedFd};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use flowlet::format::checksum;
use flowlet_protocol::frame::{MAX_LEN, encode};
use flowlet_protocol::{Answer, Command as Asked, Draw, Facts, LineReader, Spent, text};
use flowlet_tests::command::run;
use flowlet_trainer::inference::{log_probs, noise, transport};
use flowlet_trainer::model_file::ModelFile;
use ndarray::Array2;
use serial2::SerialPort;

use super::*;

static MOONS: &[u8] = include_bytes!("../../../runtime/src/moons.flow");

/// Far longer than anything takes, on the slowest machine.
pub(super) const LIMIT: Duration = Duration::from_secs(60);

/// The board's own noise has this seed, and more for each sample before.
const OWN_SEED: u64 = 12_345;

/// What the board that is played does wrong.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Fault {
    None,
    /// A bit of each third sample's frame is another one.
    Noise,
    /// A bit of each sample's frame is another one.
    Storm,
    /// The last bit of a number of the third sample is another one.
    Bit,
    /// It says something that is no answer.
    Foreign,
    /// It says nothing.
    Silent,
    /// It is gone after 120 samples.
    Unplugged,
    /// It answers, without samples.
    Empty,
    /// Of samples, it has no log-probabilities.
    NoLogProbs,
    /// It has been asked for more samples than it can tell in a minute.
    Occupied,
    /// It has no context for the model.
    Refusal,
}

/// A board with the sampler and a model; what comes from it is by the protocol, but for its fault.
pub(super) struct Played {
    /// The path of the port.
    pub(super) port: String,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    /// What keeps the port there while nobody has it open.
    _held: SerialPort,
}

impl Played {
    pub(super) fn new(fault: Fault) -> Self {
        Self::holding(fault, || true)
    }

    /// A board that gives no sample before `may_answer` says so.
    pub(super) fn holding(fault: Fault, may_answer: impl Fn() -> bool + Send + 'static) -> Self {
        let (board, held) = SerialPort::pair().unwrap();
        let path = format!("/proc/self/fd/{}", held.as_raw_fd());
        let port = std::fs::read_link(path).unwrap().display().to_string();
        let stop = Arc::new(AtomicBool::new(false));
        let thread = {
            let stop = Arc::clone(&stop);
            thread::spawn(move || play(board, fault, &may_answer, &stop))
        };
        Self {
            port,
            stop,
            thread: Some(thread),
            _held: held,
        }
    }
}

impl Drop for Played {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn play(mut port: SerialPort, fault: Fault, may_answer: &dyn Fn() -> bool, stop: &AtomicBool) {
    port.set_read_timeout(Duration::from_millis(20)).unwrap();
    let file = ModelFile::from_bytes("moons", MOONS);
    let mut lines = LineReader::new();
    let (mut chunk, mut told) = ([0; 64], 0u32);
    while !stop.load(Ordering::Relaxed) {
        if fault == Fault::Foreign {
            // It never pauses.
            let _ = port.write_all(b"[INFO] temperature 23.5\r\n\0");
        }
        if fault == Fault::Occupied {
            let x = [0.5, 0.5].into_iter().collect();
            let answer = Answer::Sample { x, log_prob: None };
            let _ = port.write_all(encode(&answer, &mut [0; MAX_LEN]).unwrap());
            continue;
        }
        let Ok(len) = port.read(&mut chunk) else {
            continue;
        };
        for byte in &chunk[..len] {
            if !lines.push(*byte) {
                continue;
            }
            let answers = match lines.line().unwrap().parse() {
                Err(error) if !matches!(fault, Fault::Silent | Fault::Foreign) => {
                    line(&Answer::error(&error)).into_bytes()
                }
                Ok(Asked::Model) => {
                    let facts = Facts::of(&file.model().unwrap(), MOONS);
                    line(&Answer::Model(facts)).into_bytes()
                }
                Ok(Asked::Sample(draw)) if fault != Fault::Silent => {
                    let own = OWN_SEED + u64::from(told);
                    told += draw.count;
                    while draw.count > 0 && !may_answer() && !stop.load(Ordering::Relaxed) {
                        thread::sleep(Duration::from_millis(5));
                    }
                    samples(&file, &draw, own, fault)
                }
                _ => vec![],
            };
            for part in answers.chunks(100) {
                if stop.load(Ordering::Relaxed) || port.write_all(part).is_err() {
                    return;
                }
            }
            if fault == Fault::Unplugged && told >= 120 {
                // What is not read by then is lost.
                thread::sleep(Duration::from_secs(1));
                return;
            }
        }
    }
}

fn line(answer: &Answer) -> String {
    let mut line = String::new();
    text::write(&mut line, answer).unwrap();
    line
}

fn samples(file: &ModelFile, draw: &Draw, own: u64, fault: Fault) -> Vec<u8> {
    if fault == Fault::Foreign {
        return b"[INFO] temperature 23.5\r\n\0".to_vec();
    }
    if fault == Fault::Refusal {
        return line(&Answer::error(&"the model takes 1 context numbers")).into_bytes();
    }
    let model = file.model().unwrap();
    let n = draw.count as usize;
    let latents = noise(n, model.dim(), draw.seed.unwrap_or(own));
    let context = Array2::zeros((n, 0));
    let points = transport(&model, &latents, &context, draw.step_count).unwrap();
    let log_probs = log_probs(&model, &points, &context).unwrap();
    // As a board that logs.
    let mut bytes = b"log: sampling\n".to_vec();
    let points = match fault {
        Fault::Empty => Array2::zeros((0, 2)),
        _ => points,
    };
    for (i, (x, log_prob)) in points.rows().into_iter().zip(log_probs).enumerate() {
        let mut x: heapless::Vec<f32, 64> = x.iter().copied().collect();
        if fault == Fault::Bit && i == 2 {
            x[1] = f32::from_bits(x[1].to_bits() ^ 1);
        }
        let log_prob = Some(log_prob).filter(|_| fault != Fault::NoLogProbs);
        let frame = encode(&Answer::Sample { x, log_prob }, &mut [0; MAX_LEN]).map(<[u8]>::to_vec);
        let mut frame = frame.unwrap();
        if fault == Fault::Storm || fault == Fault::Noise && i % 3 == 2 {
            frame[8] ^= 4;
        }
        bytes.extend(frame);
    }
    let (count, spent) = (draw.count, Some(Spent::Cycles(7)));
    bytes.extend(encode(&Answer::Done { count, spent }, &mut [0; MAX_LEN]).unwrap());
    bytes
}

/// The rows that the host gives for a seed.
fn expected(n: usize, seed: u64) -> Vec<Vec<f32>> {
    let file = ModelFile::from_bytes("moons", MOONS);
    let model = file.model().unwrap();
    let context = Array2::zeros((n, 0));
    let points = transport(&model, &noise(n, 2, seed), &context, None).unwrap();
    let log_probs = log_probs(&model, &points, &context).unwrap();
    let rows = points.rows().into_iter().zip(log_probs);
    rows.map(|(x, log_prob)| vec![x[0], x[1], log_prob])
        .collect()
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("moons.flow", MOONS);
    folder
}

#[test]
fn samples_come_over_a_serial_line_with_the_boards_own_noise() {
    let (folder, board) = (folder(), Played::new(Fault::None));
    let port = &board.port;
    let printed = folder.succeed(&format!(
        "monitor moons.flow --port {port} -n 60 -o board.csv"
    ));
    let csv = folder.text("board.csv");
    assert_eq!(printed, csv);
    let (header, rows) = numbers(&csv);
    assert_eq!(header, "x,y,log_prob");
    assert_eq!(rows[..50], expected(50, OWN_SEED));
    assert_eq!(rows[50..], expected(10, OWN_SEED + 50));

    let printed = folder.succeed(&format!("monitor --port {port} -n 3 --seed 7"));
    let (header, rows) = numbers(&printed);
    assert_eq!((header, rows), ("x0,x1,log_prob", expected(3, 7)));
}

#[test]
fn samples_that_are_damaged_on_the_line_are_left_out() {
    let (folder, board) = (folder(), Played::new(Fault::Noise));
    let line = format!("monitor --port {} -n 40 --seed 7", board.port);
    let output = run(&mut folder.command(&line));
    let [printed, said] =
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(output.status.success(), "{said}");
    let (_, rows) = numbers(&printed);
    assert_eq!(rows.len(), 40);
    // Of 40, of the 13 that were missing, of the 4 that were then, and of the last: each third.
    assert_tells(
        &said,
        &["note: 18 of 58 samples were lost on the way from /dev/pts/"],
    );
    assert_eq!(said.lines().count(), 1, "{said}");
    let whole = expected(40, 7);
    let whole = whole.iter().enumerate().filter(|(i, _)| i % 3 != 2);
    let whole: Vec<_> = whole.map(|(_, row)| row.clone()).collect();
    assert_eq!(rows[..whole.len()], whole);
}

#[test]
fn what_is_wrong_with_a_board_is_one_sentence() {
    let folder = folder();
    for (fault, facts) in [
        (
            Fault::Silent,
            ["nothing answers on /dev/pts/", "flowlet flash"],
        ),
        (Fault::Foreign, ["none of the sampler's answers", "--baud"]),
        (
            Fault::Storm,
            ["9 of 9 samples were lost", "check the cable"],
        ),
        (
            Fault::Occupied,
            ["what it was asked for before", "reset it"],
        ),
        (
            Fault::Empty,
            ["answers, but with no samples", "flowlet flash"],
        ),
        (
            Fault::Refusal,
            ["says: the model takes 1 context numbers", "/dev/pts/"],
        ),
    ] {
        let board = Played::new(fault);
        folder.write("kept.csv", "x,y\n1,2\n");
        // A refusal may be one of what was asked for before, until nothing else comes.
        let line = format!("monitor --port {} -n 3 -o kept.csv", board.port);
        let message = folder.fail(&line);
        assert_tells(&message, &facts);
        assert_eq!(folder.text("kept.csv"), "x,y\n1,2\n");
    }
    for (line, facts) in [
        (
            "monitor --port /dev/nowhere",
            ["no serial port /dev/nowhere", "there"],
        ),
        ("monitor moons.flow", ["--port", "--board"]),
        (
            "monitor --board qemu-m4",
            ["is emulated", "give a model file"],
        ),
        (
            "monitor moons.flow --board qemu-m4 --port x",
            ["has no port", "leave out --port"],
        ),
        (
            "verify moons.flow --board pico",
            ["pico is connected", "--port"],
        ),
        (
            "verify moons.flow --baud 9600",
            ["qemu-m4 is emulated", "leave out --baud"],
        ),
        (
            "monitor moons.flow --board qemu-m4 --baud 9600 -n 1",
            ["qemu-m4 is emulated", "leave out --baud"],
        ),
        (
            "monitor --port x --steps 3",
            ["arguments were not provided", "required"],
        ),
        (
            "verify moons.flow --port x",
            ["qemu-m4 is emulated", "leave out --port"],
        ),
        (
            "run moons.flow --board pico",
            ["board of silicon", "flowlet flash"],
        ),
    ] {
        assert_tells(&folder.fail(line), &facts);
    }
}

#[test]
fn what_came_before_the_cable_was_unplugged_is_kept() {
    let (folder, board) = (folder(), Played::new(Fault::Unplugged));
    let output = run(&mut folder.command(&format!("monitor --port {} -o board.csv", board.port)));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{message}");
    assert_tells(
        &message,
        &["the connection to /dev/pts/", "cable is unplugged"],
    );
    let csv = folder.text("board.csv");
    assert!((120..=150).contains(&numbers(&csv).1.len()), "{csv}");
}

#[test]
fn a_board_is_verified_over_a_serial_line() {
    let (folder, board) = (folder(), Played::new(Fault::None));
    let line = |port: &str| format!("verify moons.flow --board nrf52840-dk --port {port} -n 20");
    let text = folder.succeed(&line(&board.port));
    assert_tells(
        &text,
        &["nRF52840", "60, all with the bits of this computer"],
    );

    let board = Played::new(Fault::Bit);
    let message = folder.fail(&line(&board.port));
    assert_tells(
        &message,
        &["sample 3, dimension 2: nrf52840-dk has", "this computer"],
    );

    let board = Played::new(Fault::Noise);
    let message = folder.fail(&line(&board.port));
    assert_tells(&message, &["6 of 20 samples were lost", "cable"]);

    let board = Played::new(Fault::NoLogProbs);
    let message = folder.fail(&line(&board.port));
    assert_tells(&message, &["without log-probabilities", "flowlet flash"]);
}

#[test]
fn another_model_on_the_board_is_told() {
    let (folder, board) = (folder(), Played::new(Fault::None));
    folder.copy("golden/real_nvp_2d.safetensors");
    folder.succeed("import real_nvp_2d.safetensors -o other.flow");
    for command in ["verify other.flow --board pico", "monitor other.flow -n 5"] {
        let message = folder.fail(&format!("{command} --port {}", board.port));
        let facts = [
            "has another model (moons: RealNVP",
            "flash other.flow first",
        ];
        assert_tells(&message, &facts);
    }

    // One that differs in the last bit of a weight alone.
    let (content, _) = MOONS.split_last_chunk::<4>().unwrap();
    let mut twin = content.to_vec();
    *twin.last_mut().unwrap() ^= 1;
    twin.extend(checksum(&twin).to_le_bytes());
    folder.write("twin.flow", &twin);
    let line = format!("verify twin.flow --board pico --port {}", board.port);
    let message = folder.fail(&line);
    let facts = ["has another model (moons: RealNVP", "flash twin.flow first"];
    assert_tells(&message, &facts);
}

#[test]
fn a_board_of_qemus_gives_other_samples_in_each_answer() {
    let folder = folder();
    let printed = folder.succeed("monitor moons.flow --board qemu-m4 -n 60");
    let (_, rows) = numbers(&printed);
    assert_eq!(rows[..50], expected(50, 0));
    assert_eq!(rows[50..], expected(10, 1));
}

#[test]
fn a_port_is_for_one_at_a_time() {
    let (folder, board) = (folder(), Played::new(Fault::None));
    let line = format!("monitor --port {}", board.port);
    let mut command = folder.command(&line);
    let mut first = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut some = [0; 100];
    std::io::Read::read_exact(first.stdout.as_mut().unwrap(), &mut some).unwrap();
    let message = folder.fail(&format!("{line} -n 3"));
    assert_tells(
        &message,
        &["another program uses the serial port /dev/pts/"],
    );
    first.kill().unwrap();
    first.wait().unwrap();
    folder.succeed(&format!("{line} -n 3"));
}

/// A monitor of a board of endless samples gets `signal`, and is awaited.
fn ended_by(signal: &str, terminal: Stdio) {
    let folder = folder();
    let board = Played::new(Fault::None);
    let mut command = folder.command(&format!("monitor --port {} -o board.csv", board.port));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.stdin(terminal).spawn().unwrap();
    let mut printed = child.stdout.take().unwrap();
    let mut some = [0; 4096];
    std::io::Read::read_exact(&mut printed, &mut some).unwrap();
    let rest = thread::spawn(move || std::io::copy(&mut printed, &mut std::io::sink()));
    let kill = format!("kill -{signal} {}", child.id());
    let killed = run(Command::new("sh").args(["-c", &kill]));
    assert!(killed.status.success());
    let output = child.wait_with_output().unwrap();
    rest.join().unwrap().unwrap();
    assert!(output.status.success(), "{signal}: {output:?}");
    let csv = folder.text("board.csv");
    assert!(csv.starts_with(std::str::from_utf8(&some).unwrap()));
    assert!(csv.ends_with('\n') && numbers(&csv).1.len() > 50);
}

#[test]
fn ctrl_c_and_a_terminal_that_closes_end_it_and_keep_what_came() {
    ended_by("INT", Stdio::null());
    ended_by("TERM", Stdio::null());
    let (_screen, terminal) = SerialPort::pair().unwrap();
    ended_by("HUP", OwnedFd::from(terminal).into());
}

#[test]
fn a_terminal_shows_a_picture_that_is_drawn_over() {
    let (folder, board) = (folder(), Played::new(Fault::None));
    let (mut terminal, stdout) = SerialPort::pair().unwrap();
    let mut command = folder.command(&format!("monitor moons.flow --port {} -n 2000", board.port));
    let mut child = command.stdout(OwnedFd::from(stdout)).spawn().unwrap();
    drop(command);
    terminal
        .set_read_timeout(Duration::from_millis(50))
        .unwrap();
    let (mut shown, mut chunk) = (vec![], [0; 4096]);
    let begun = Instant::now();
    // The terminal is closed when the command ends.
    loop {
        assert!(begun.elapsed() < LIMIT);
        match terminal.read(&mut chunk) {
            Ok(len @ 1..) => shown.extend(&chunk[..len]),
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {}
            _ => break,
        }
    }
    assert!(child.wait().unwrap().success());
    let shown = String::from_utf8(shown).unwrap();
    let pictures: Vec<&str> = shown.split("\x1b[H").collect();
    assert!(pictures.len() > 2, "{shown}");
    let last = pictures.last().unwrap();
    assert_tells(
        last,
        &["2,000 samples", "log_prob", "y from ", "over x from "],
    );
    let dots = last.chars().filter(|c| ('⠁'..='⣿').contains(c));
    assert!(dots.count() > 100, "{last}");
}
