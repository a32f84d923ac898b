//! Every example says on every board what it is expected to say.
//!
//! Expectations are in `tests/expected`, one for all boards, since all give the same bits; `FLOWLET_BLESS=1`
//! writes them anew. What a board counts is its own and left out.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{env, fs};

use flowlet_protocol::frame::FrameReader;
use flowlet_protocol::text::strip_checksum;
use flowlet_protocol::{Answer, MAX_LINE_LEN, Spent};
use flowlet_tests::counter::Counts;
use flowlet_trainer::board::cost::{self, Work};
use flowlet_trainer::board::firmware::{build, build_logging};
use flowlet_trainer::board::{Board, Launch, Level, Log, run_logging, run_program};
use flowlet_trainer::model_file::ModelFile;

/// Each takes a second or two; this is for a busy machine.
const TIME_LIMIT: Duration = Duration::from_secs(60);

static MOONS: &[u8] = include_bytes!("../../runtime/src/moons.flow");
/// See `tests/data/README.md`.
static WALKING: &[u8] = include_bytes!("../data/walking.flow");

fn say(board: Board, example: &str, image: &[u8], input: &str) -> Vec<u8> {
    let program = build(board, example, None).unwrap();
    let launch = Launch {
        program: &program.path(),
        image,
        input,
        plugin: None,
        limit: TIME_LIMIT,
    };
    run_program(board, &launch).unwrap()
}

/// The lines, each with a right checksum, without the checksum and what the board counts.
fn lines(output: &[u8]) -> String {
    let text = std::str::from_utf8(output).unwrap();
    let lines = text.lines().map(|line| {
        let checked = strip_checksum(line).unwrap_or_else(|| panic!("{line:?} is damaged"));
        let words = checked.split(' ').collect::<Vec<_>>();
        let is_counted = |i: usize| words.get(i + 1) == Some(&"instructions");
        let words = words.iter().enumerate();
        let words = words.map(|(i, word)| if is_counted(i) { "#" } else { word });
        words.collect::<Vec<_>>().join(" ") + "\n"
    });
    lines.collect()
}

/// A recording with a hole at each sample that is refused, and a recording too short for a window.
///
/// Between holes, samples are enough for a window together with those before, and too few alone.
fn measured() -> String {
    let table = include_str!("../data/imu_test.csv");
    let samples = table.lines().skip(1);
    let samples = samples.map(|row| row.rsplit_once(',').unwrap().0);
    let feed = |skip, count| -> String {
        let lines = samples.clone().skip(skip).take(count);
        lines.map(|sample| format!("feed {sample}\n")).collect()
    };
    let too_long = format!("feed {}", "1".repeat(MAX_LINE_LEN));
    let refused = [
        "feed",
        "feed 1,2,3",
        "feed 1,2,3,4,5,six",
        "feed 1,2,3,4,5,6,7",
        &too_long,
    ];
    let parts = refused.iter().enumerate();
    let with_holes: String = parts
        .map(|(i, line)| format!("{}{line}\n", feed(2000 + 12 * i, 12)))
        .collect();
    let (whole, short) = (feed(2100, 24), feed(0, 12));
    format!("model\n{with_holes}{whole}sample 1\nrestart\n{short}model 1\n")
}

/// Input that all samplers are to answer, hostile lines among it.
fn input() -> String {
    let long = "x".repeat(MAX_LINE_LEN + 1);
    let hostile =
        "sampel 1\nsample\nsample 1 seed=x\nsample 1 seed=1 seed=1\nsample 1 context=0.5\n";
    format!(
        "model\nsample 3 seed=7\r\nsample 0\n\n{hostile}{long}\ndigest 20 seed=5\nhelp\nsample 1 steps=3\nmodel"
    )
}

fn check(example: &str, image: &[u8], input: &str) {
    for board in Board::QEMU {
        let found = lines(&say(board, example, image, input));
        check_expected(board, example, &found);
    }
}

fn check_expected(board: Board, name: &str, found: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("expected");
    let path = folder.join(name).with_extension("txt");
    if env::var_os("FLOWLET_BLESS").is_some() && board == Board::QEMU[0] {
        fs::write(&path, found).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    assert_eq!(found, expected, "{name} on {board}");
}

#[test]
fn the_sampler_says_on_every_board_what_it_should() {
    check("sampler", MOONS, &input());
}

/// What an example says, and what it logs, by a line each.
fn log(
    board: Board,
    example: &str,
    image: &[u8],
    input: &str,
) -> (Result<Vec<u8>, String>, String) {
    let program = build_logging(board, example, Level::Debug).unwrap();
    let launch = Launch {
        program: &program.path(),
        image,
        input,
        plugin: None,
        limit: TIME_LIMIT,
    };
    let logged = Arc::new(Mutex::new(String::new()));
    let log = {
        let logged = Arc::clone(&logged);
        Log::new(Level::Debug, move |line| {
            *logged.lock().unwrap() += &format!("{line}\n");
        })
    };
    let said = run_logging(board, &launch, &log);
    let logged = logged.lock().unwrap().clone();
    (said.map_err(|error| error.to_string()), logged)
}

#[test]
fn the_sampler_logs_on_every_board_what_it_does_and_says_the_same() {
    for board in Board::QEMU {
        let (said, logged) = log(board, "sampler", MOONS, &input());
        check_expected(board, "sampler", &lines(&said.unwrap()));
        // Where the source has it may change.
        let lines = logged.lines().map(|line| {
            let (line, number) = line.rsplit_once(':').unwrap();
            let number = number.strip_suffix(')').map(str::parse);
            assert!(matches!(number, Some(Ok(1u32..))), "{line}");
            format!("{line})\n")
        });
        check_expected(board, "sampler_log", &lines.collect::<String>());
    }
}

#[test]
fn a_line_of_the_log_tells_where_it_is_in_the_source() {
    let source = include_str!("../../firmware-examples/sampler/src/main.rs");
    let line = source
        .lines()
        .position(|line| line.contains("info!(\"model"));
    let place = format!("(sampler/src/main.rs:{})", line.unwrap() + 1);
    let (_, logged) = log(Board::QemuM0, "sampler", MOONS, "");
    assert!(logged.trim_end().ends_with(&place), "{logged}");
}

#[test]
fn why_a_program_ends_is_logged() {
    for (way, message) in [
        ("error", "ERROR as asked for (support/src/qemu.rs:"),
        ("panic", "ERROR panicked at failures/src/main.rs:"),
        ("fault", "ERROR HardFault at 0x0000"),
    ] {
        let (said, logged) = log(Board::QemuM4, "failures", &[], &format!("{way}\n"));
        assert!(said.is_err(), "{way}");
        let lines: Vec<_> = logged
            .lines()
            .filter(|line| line.starts_with("ERROR"))
            .collect();
        assert!(
            lines.len() == 1 && lines[0].starts_with(message),
            "{logged}"
        );
    }
}

#[test]
fn update_says_on_every_board_what_it_should() {
    check("update", MOONS, &input());
}

#[test]
fn compare_says_on_every_board_what_it_should() {
    check("compare", &[MOONS, MOONS].concat(), &input());
}

#[test]
fn the_detector_says_on_every_board_what_it_should() {
    check("detector", WALKING, &measured());
}

#[test]
fn a_detector_needs_a_threshold() {
    let program = build(Board::QemuM4, "detector", None).unwrap();
    let launch = Launch {
        program: &program.path(),
        image: MOONS,
        input: "model\n",
        plugin: None,
        limit: TIME_LIMIT,
    };
    let error = run_program(Board::QemuM4, &launch).unwrap_err();
    assert!(error.to_string().contains("flowlet calibrate"), "{error}");
}

#[test]
fn frames_hold_what_the_lines_tell() {
    for board in Board::QEMU {
        let output = say(board, "sampler", MOONS, "sample 3 seed=7 as=frames\n");
        let mut reader = FrameReader::new();
        let mut bits = vec![];
        let mut counted = None;
        for byte in output {
            if !reader.push(byte) {
                continue;
            }
            match reader.frame().unwrap() {
                Answer::Sample { x, log_prob } => {
                    bits.push(x.iter().chain(&log_prob).map(|x| x.to_bits()).collect());
                }
                Answer::Done { count: 3, spent } => counted = spent,
                other => panic!("{board}: {other:?}"),
            }
        }
        let text = say(board, "sampler", MOONS, "sample 3 seed=7\n");
        let text = lines(&text);
        let told = text.lines().filter_map(|line| line.split_once(" bits "));
        let told: Vec<Vec<u32>> = told
            .map(|(_, bits)| {
                let words = bits.split(' ');
                words
                    .map(|word| u32::from_str_radix(word, 16).unwrap())
                    .collect()
            })
            .collect();
        assert_eq!((bits.len(), &bits), (3, &told), "{board}");
        assert!(
            matches!(counted, Some(Spent::Instructions(1000..))),
            "{board}: {counted:?}"
        );
    }
}

#[test]
fn an_empty_region_and_a_damaged_model_end_the_run() {
    let mut damaged = MOONS.to_vec();
    damaged[100] ^= 1;
    for (image, message) in [(&[][..], "not a flowlet model"), (&damaged, "damaged")] {
        let program = build(Board::QemuM0, "sampler", None).unwrap();
        let launch = Launch {
            program: &program.path(),
            image,
            input: "model\n",
            plugin: None,
            limit: TIME_LIMIT,
        };
        let error = run_program(Board::QemuM0, &launch).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn what_a_board_counts_is_what_the_plugin_counts() {
    /// The plugin's firmware knows the dimension when it is compiled, the example when it runs; and ticks
    /// are of up to 63 instructions.
    const TOLERANCE: f64 = 0.15;
    let file = ModelFile::from_bytes("moons", MOONS);
    for board in Board::QEMU {
        let output = say(board, "compare", MOONS, "sample 50 seed=7 as=frames\n");
        let counted = cost(&output).unwrap_or_else(|| panic!("{board} counts nothing"));
        let program = build(board, "bench", Some(&file)).unwrap();
        let expected = Counts::of(board, &program, "")
            .median("sample")
            .instructions;
        let error = counted as f64 / expected as f64 - 1.0;
        assert!(
            error.abs() < TOLERANCE,
            "{board}: {counted} where {expected} are"
        );
        // Of a trained model, what `inspect` tells is what the board counts.
        let told = Work::of_sample(file.model().unwrap().description()).instructions(board);
        let error = told as f64 / counted as f64 - 1.0;
        assert!(
            error.abs() < cost::TOLERANCE,
            "{board}: {told} is told where {counted} are"
        );
    }
}

/// Instructions of a sample, in a stream of frames.
fn cost(output: &[u8]) -> Option<u64> {
    let mut reader = FrameReader::new();
    for byte in output {
        if reader.push(*byte)
            && let Ok(Answer::Cost { sample, .. }) = reader.frame()
            && let Some(Spent::Instructions(n)) = sample
        {
            return Some(n);
        }
    }
    None
}
