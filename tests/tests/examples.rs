//! Every example says on every board what it is expected to say.
//!
//! Expectations are in `tests/expected`, one for all boards, since all give the same bits; `FLOWLET_BLESS=1`
//! writes them anew. What a board counts is its own and left out.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use flowlet_protocol::frame::FrameReader;
use flowlet_protocol::text::strip_checksum;
use flowlet_protocol::{Answer, MAX_LINE_LEN, Spent};
use flowlet_tests::counter::Counts;
use flowlet_trainer::board::firmware::build;
use flowlet_trainer::board::{Board, Launch, run_program};
use flowlet_trainer::model_file::ModelFile;

/// Each takes a second or two; this is for a busy machine.
const TIME_LIMIT: Duration = Duration::from_secs(60);

static MOONS: &[u8] = include_bytes!("../../runtime/src/moons.flow");

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

/// Input that all examples are to answer, hostile lines among it.
fn input() -> String {
    let long = "x".repeat(MAX_LINE_LEN + 1);
    let hostile =
        "sampel 1\nsample\nsample 1 seed=x\nsample 1 seed=1 seed=1\nsample 1 context=0.5\n";
    format!(
        "model\nsample 3 seed=7\r\nsample 0\n\n{hostile}{long}\ndigest 20 seed=5\nhelp\nsample 1 steps=3\nmodel"
    )
}

fn check(example: &str, image: &[u8]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("expected");
    let path = folder.join(example).with_extension("txt");
    for board in Board::QEMU {
        let found = lines(&say(board, example, image, &input()));
        if env::var_os("FLOWLET_BLESS").is_some() && board == Board::QEMU[0] {
            fs::write(&path, &found).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap();
        assert_eq!(found, expected, "{example} on {board}");
    }
}

#[test]
fn the_sampler_says_on_every_board_what_it_should() {
    check("sampler", MOONS);
}

#[test]
fn update_says_on_every_board_what_it_should() {
    check("update", MOONS);
}

#[test]
fn compare_says_on_every_board_what_it_should() {
    check("compare", &[MOONS, MOONS].concat());
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
