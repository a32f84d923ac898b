//! The least firmware that samples a model is no larger than the table says that it was.
//!
//! `cargo xtask size --bless` writes the table anew, for a growth that is worth it or for another
//! compiler; `Board::sampler_memory` has its numbers for `flowlet inspect`.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use flowlet_tests::firmware_size::Size;
use flowlet_tests::workload::{f32_real_nvp, large_real_nvp};
use flowlet_trainer::board::{Board, Memory};

/// How much is no growth: another release of the compiler or of a dependency.
const TOLERANCE_PERCENT: u64 = 2;

/// Firmware that is short of flash is built in this profile.
const PROFILE: &str = "small";

/// Most bytes of flash and of RAM on a Cortex-M4F, whatever the table says.
const M4_LIMITS: [u64; 2] = [16 << 10, 2 << 10];

const HEAD: &str = "board,flash,ram";

/// A board, with bytes of flash and of RAM.
type Row = (String, [u64; 2]);

#[test]
fn firmware_grows_on_purpose_only() {
    let measured: Vec<Row> = Board::QEMU.map(measure).into();
    // Told where a test's output is shown, as by `cargo xtask size`.
    print!("{}", to_csv(&measured));
    if env::var_os("FLOWLET_BLESS").is_some() {
        fs::write(table(), to_csv(&measured)).expect("the table can be written");
    }
    let text = fs::read_to_string(table()).expect("the table can be read");
    let problems = growth(&from_csv(&text), &measured);
    assert!(problems.is_empty(), "{}", problems.join("\n"));

    let m4 = measured
        .iter()
        .find(|(name, _)| name == Board::QemuM4.name());
    let (_, lens) = m4.expect("all boards are measured");
    let within = lens.iter().zip(M4_LIMITS).all(|(len, most)| *len <= most);
    assert!(within, "{lens:?} bytes are beyond {M4_LIMITS:?}");
}

#[test]
fn inspect_tells_the_sizes_of_the_table() {
    let text = fs::read_to_string(table()).expect("the table can be read");
    let told = Board::QEMU.map(|board| {
        let memory = board.sampler_memory();
        let lens = [memory.flash as u64, memory.ram as u64];
        (board.name().into(), lens)
    });
    assert_eq!(from_csv(&text), told, "see `Board::sampler_memory`");
}

#[test]
fn an_f32_model_takes_no_more_than_inspect_tells() {
    let workload = f32_real_nvp();
    let file = workload.file();
    let model = file.model().expect("it is made as a model");
    for board in Board::QEMU {
        let size = Size::of(board, PROFILE, &workload);
        let told = Memory::of_sampler(board, &model, file.bytes().len());
        let (flash, ram) = (size.flash() + size.model, size.ram() + size.scratch);
        println!("{board}: {flash} of {}, {ram} of {}", told.flash, told.ram);
        assert!(
            flash <= told.flash as u64,
            "{board}: {flash} bytes of flash"
        );
        assert!(ram <= told.ram as u64, "{board}: {ram} bytes of RAM");
    }
}

#[test]
fn growth_beyond_the_tolerance_is_told() {
    let row = |flash, ram| vec![("qemu-m4".to_owned(), [flash, ram])];
    assert!(growth(&row(10_000, 1000), &row(10_200, 1020)).is_empty());
    assert!(growth(&row(10_000, 1000), &row(5000, 500)).is_empty());
    assert_eq!(growth(&row(10_000, 1000), &row(10_201, 1021)).len(), 2);
    assert_eq!(growth(&[], &row(1, 1)).len(), 1);
}

fn measure(board: Board) -> Row {
    let size = Size::of(board, PROFILE, &large_real_nvp());
    (board.name().into(), [size.flash(), size.ram()])
}

/// What has grown, and by how much.
fn growth(table: &[Row], measured: &[Row]) -> Vec<String> {
    let mut problems = vec![];
    for (board, lens) in measured {
        let Some((_, before)) = table.iter().find(|(name, _)| name == board) else {
            problems.push(format!("{board} is not in the table"));
            continue;
        };
        for (memory, (len, before)) in ["flash", "RAM"].iter().zip(lens.iter().zip(before)) {
            if 100 * len > (100 + TOLERANCE_PERCENT) * before {
                problems.push(format!(
                    "{memory} on {board} grew from {before} bytes to {len}: make it smaller, or \
                     type `cargo xtask size --bless` and say why"
                ));
            }
        }
    }
    problems
}

fn table() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("firmware_size.csv")
}

fn to_csv(rows: &[Row]) -> String {
    let mut text = format!("{HEAD}\n");
    for (board, [flash, ram]) in rows {
        writeln!(text, "{board},{flash},{ram}").expect("a string takes text");
    }
    text
}

fn from_csv(text: &str) -> Vec<Row> {
    let rows = text.lines().filter(|line| *line != HEAD);
    rows.map(|line| {
        let mut cells = line.split(',');
        let board = cells.next().unwrap_or_default();
        let lens = cells.map(|cell| cell.parse().expect("a length is a number"));
        let lens = lens.collect::<Vec<u64>>().try_into();
        (board.into(), lens.expect("a row has flash and RAM"))
    })
    .collect()
}
