//! Hands the chosen board's memory map to the linker.

use std::{env, fs, path::PathBuf};

const BOARDS: [&str; 2] = ["qemu-m4", "qemu-m0"];

fn main() {
    println!("cargo:rerun-if-changed=boards");
    let chosen: Vec<_> = BOARDS
        .into_iter()
        .filter(|board| is_chosen(board))
        .collect();
    match chosen[..] {
        [] => {}
        [board] => provide_memory_map(board),
        _ => panic!(
            "choose one board of {}: the features name {}",
            BOARDS.join(", "),
            chosen.join(", ")
        ),
    }
}

fn is_chosen(board: &str) -> bool {
    let feature = board.to_uppercase().replace('-', "_");
    env::var_os(format!("CARGO_FEATURE_{feature}")).is_some()
}

fn provide_memory_map(board: &str) {
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    if let Err(error) = fs::copy(format!("boards/{board}.x"), folder.join("memory.x")) {
        panic!(
            "cannot copy boards/{board}.x to {}: {error}",
            folder.display()
        );
    }
    println!("cargo:rustc-link-search={}", folder.display());
}
