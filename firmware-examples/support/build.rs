//! Hands the chosen board's memory map to the linker.

use std::path::PathBuf;
use std::{env, fs};

const BOARDS: [&str; 10] = [
    "qemu-m0",
    "qemu-m3",
    "qemu-m4",
    "qemu-m7",
    "qemu-m33",
    "qemu-rv32",
    "stm32f4-discovery",
    "nrf52840-dk",
    "pico",
    "esp32c3",
];

fn main() {
    println!("cargo::rerun-if-changed=boards");
    let chosen: Vec<_> = BOARDS
        .into_iter()
        .filter(|board| is_chosen(board))
        .collect();
    match chosen[..] {
        // Its memory is laid out by esp-hal.
        ["esp32c3"] => provide_map("esp32c3", "model.x"),
        [board] => {
            provide_map(board, "memory.x");
            provide_map("model", "model.x");
        }
        // The tests of this package, which need no board.
        [] if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system != "none") => {}
        _ => println!(
            "cargo::error=choose one board, with --features BOARD: {}",
            BOARDS.join(" or ")
        ),
    }
}

fn is_chosen(board: &str) -> bool {
    let feature = board.to_uppercase().replace('-', "_");
    env::var_os(format!("CARGO_FEATURE_{feature}")).is_some()
}

fn provide_map(from: &str, to: &str) {
    let folder = out();
    fs::copy(format!("boards/{from}.x"), folder.join(to)).expect("each board has its memory map");
    println!("cargo::rustc-link-search={}", folder.display());
}

fn out() -> PathBuf {
    env::var_os("OUT_DIR").expect("cargo sets OUT_DIR").into()
}
