//! The command line, one file a command.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod boards;
mod calibrate;
mod compare;
mod config;
mod detector;
mod evaluate;
mod flash;
mod help;
mod import;
mod inspect;
mod log;
mod monitor;
mod options;
mod output;
mod quantize;
mod reading;
mod safetensors;
mod sample;
mod score;
mod sensors;
mod shell;
mod tables;
mod train;
mod unfinished;
mod update;

use std::sync::OnceLock;

use flowlet_tests::command::Folder;

/// Options for a RealNVP that is fitted in no time.
const TINY: &str = "--points 500 --steps 50 --layers 2 --hidden 8";

/// Options for a flow-matching model that is fitted in no time.
const TINY_FLOW_MATCHING: &str = "--model flow-matching --points 500 --steps 50 --hidden 8";

/// A folder with a tiny RealNVP, `moons.flow`.
fn folder_with_moons() -> Folder {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    folder_with(FILE.get_or_init(|| trained(TINY)))
}

/// A folder with a tiny flow-matching model, `moons.flow`.
fn folder_with_flow_matching() -> Folder {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    folder_with(FILE.get_or_init(|| trained(TINY_FLOW_MATCHING)))
}

fn folder_with(file: &[u8]) -> Folder {
    let folder = Folder::new();
    folder.write("moons.flow", file);
    folder
}

fn trained(options: &str) -> Vec<u8> {
    let folder = Folder::new();
    folder.succeed(&format!("train moons {options}"));
    folder.read("moons.flow")
}

/// The header of a CSV file and its rows of numbers.
fn numbers(csv: &str) -> (&str, Vec<Vec<f32>>) {
    let mut lines = csv.lines();
    let header = lines.next().unwrap();
    let row = |line: &str| line.split(',').map(|cell| cell.parse().unwrap()).collect();
    (header, lines.map(row).collect())
}

/// A CSV file of these rows.
fn csv(header: &str, rows: &[Vec<f32>]) -> String {
    let mut text = format!("{header}\n");
    for row in rows {
        let cells: Vec<String> = row.iter().map(f32::to_string).collect();
        text += &format!("{}\n", cells.join(","));
    }
    text
}

/// An NPY file of these rows, all of one length, by NumPy's description of the format.
fn npy(rows: &[Vec<f32>]) -> Vec<u8> {
    let (n, columns) = (rows.len(), rows[0].len());
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({n}, {columns}), }}");
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(length).unwrap().to_le_bytes());
    bytes.extend(format!("{header:width$}\n", width = length - 1).bytes());
    bytes.extend(
        rows.iter()
            .flatten()
            .flat_map(|number| number.to_le_bytes()),
    );
    bytes
}

/// That a message has all that it should tell.
#[track_caller]
fn assert_tells(message: &str, facts: &[&str]) {
    for fact in facts {
        assert!(message.contains(fact), "{message:?} lacks {fact:?}");
    }
}
