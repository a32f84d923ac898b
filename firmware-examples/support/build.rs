//! Hands the chosen board's memory map to the linker.

use std::path::{Path, PathBuf};
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

/// Bytes of the place for models in the image of a board that has it there.
const IMAGE_REGION_LEN: usize = 512 << 10;

fn main() {
    println!("cargo::rerun-if-changed=boards");
    let chosen: Vec<_> = BOARDS
        .into_iter()
        .filter(|board| is_chosen(board))
        .collect();
    match chosen[..] {
        ["esp32c3"] => {
            provide_map("esp32c3", "model.x");
            fill_image_region();
        }
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

/// Fills the place with the models that `FLOWLET_MODEL` names, or leaves it as erased flash is.
fn fill_image_region() {
    println!("cargo::rerun-if-env-changed=FLOWLET_MODEL");
    let models = env::var_os("FLOWLET_MODEL").map_or(Ok(vec![]), |path| read(Path::new(&path)));
    match models {
        Ok(mut bytes) => {
            bytes.resize(IMAGE_REGION_LEN, 0xFF);
            fs::write(out().join("models.bin"), bytes).expect("OUT_DIR takes files");
        }
        Err(message) => println!("cargo::error={message}"),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    println!("cargo::rerun-if-changed={}", path.display());
    let bytes = fs::read(path).map_err(|error| {
        format!(
            "cannot read {}: {error}; set FLOWLET_MODEL to the absolute path of the models",
            path.display()
        )
    })?;
    if bytes.len() > IMAGE_REGION_LEN {
        return Err(format!(
            "{} has {} bytes, the place for models {IMAGE_REGION_LEN}",
            path.display(),
            bytes.len()
        ));
    }
    Ok(bytes)
}

fn out() -> PathBuf {
    env::var_os("OUT_DIR").expect("cargo sets OUT_DIR").into()
}
