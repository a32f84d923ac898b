//! The examples in C, compiled with the library and a model.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use flowlet_trainer::board::Board;
use tempfile::TempDir;

use crate::build::{Output, build};
use crate::command::run;
use crate::elf::Elf;

const WARNINGS: [&str; 4] = ["-std=c11", "-Wall", "-Wextra", "-Werror"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("")
}

/// The model file that is in every program.
pub fn model() -> PathBuf {
    root().join("runtime/src/moons.flow")
}

/// A compiler on its way to `program`, with an example and the model.
pub fn compiler(name: &str, example: &str, program: &Path) -> Command {
    let mut compiler = Command::new(name);
    compiler
        .current_dir(root().join("runtime/c"))
        .args(WARNINGS)
        .args(["-g", "-Iinclude"])
        .arg(format!("-DMODEL=\"{}\"", model().display()))
        .args([&format!("examples/{example}.c"), "examples/model.S", "-o"])
        .arg(program);
    compiler
}

/// Compiles.
///
/// # Panics
///
/// With what the compiler says, if it fails.
#[track_caller]
pub fn compile(compiler: &mut Command) {
    let output = run(compiler);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{compiler:?}: {said}");
}

/// The example `sample` for the Cortex-M4F of QEMU, in a folder that goes with it.
#[derive(Debug)]
pub struct Firmware {
    folder: TempDir,
}

impl Firmware {
    /// The board that it is for.
    pub const BOARD: Board = Board::QemuM4;

    /// Compiles it.
    ///
    /// # Panics
    ///
    /// If a compiler fails.
    pub fn new() -> Self {
        let folder = TempDir::new().expect("there is a place for files");
        let firmware = Self { folder };
        let target = Self::BOARD.target();
        let library = build("flowlet-c", Output::StaticLibrary(Some(target)));
        let map = firmware.map();
        compile(
            compiler("arm-none-eabi-gcc", "sample", &firmware.program())
                .args(["-Os", "-mcpu=cortex-m4", "-mthumb"])
                .args(["-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"])
                .args(["-nostartfiles", "--specs=rdimon.specs", "-Wl,--gc-sections"])
                .args(["examples/m4/start.c", "-T", "examples/m4/mps2-an386.ld"])
                .arg(format!("-Wl,-Map={}", map.display()))
                .arg(library),
        );
        firmware
    }

    /// The ELF file.
    pub fn program(&self) -> PathBuf {
        self.folder.path().join("sample.elf")
    }

    fn map(&self) -> PathBuf {
        self.folder.path().join("sample.map")
    }

    /// Bytes of flash and of RAM, without the model and the stack: of all, and of the library in it.
    ///
    /// # Panics
    ///
    /// If the linker wrote no map.
    pub fn lens(&self) -> [[u64; 2]; 2] {
        let elf = Elf::read(&self.program());
        let model = fs::metadata(model()).expect("the model is there").len();
        let map = fs::read_to_string(self.map()).expect("the linker has written a map");
        [
            [elf.flash_len() - model, elf.static_len()],
            library_lens(&map),
        ]
    }
}

impl Default for Firmware {
    fn default() -> Self {
        Self::new()
    }
}

/// Bytes of flash and of RAM of what a linker's map has of the library: lines such as
/// ` .text.name  0x00000042  0x10 …/libflowlet_c.a(…)`, the name on a line of its own where it is long.
fn library_lens(map: &str) -> [u64; 2] {
    let (_, map) = map
        .split_once("Linker script and memory map")
        .expect("the map has the memory");
    let (mut flash, mut ram, mut section) = (0, 0, "");
    for line in map.lines() {
        let mut words = line.split_ascii_whitespace().peekable();
        if let Some(name) = words.next_if(|word| word.starts_with('.')) {
            section = name;
        }
        let numbers = [words.next(), words.next()].map(|word| word.and_then(hexadecimal));
        let is_of_library = words
            .next()
            .is_some_and(|file| file.contains("libflowlet_c.a("));
        let [Some(_), Some(len)] = numbers else {
            continue;
        };
        let is = |part: &str| is_of_library && section.starts_with(part);
        if is(".data") || is(".bss") {
            ram += len;
        }
        if [".text", ".rodata", ".data", ".ARM.ex"].into_iter().any(is) {
            flash += len;
        }
    }
    [flash, ram]
}

fn hexadecimal(word: &str) -> Option<u64> {
    u64::from_str_radix(word.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_librarys_part_is_read_from_a_map() {
        let map = "\
Discarded input sections
 .text          0x00000000       0x99 libflowlet_c.a(a.o)
Linker script and memory map
.text           0x00000000     0x4000
 *(.text*)
 .text.main     0x00000042       0x10 /tmp/sample.o
 .text.flowlet_init
                0x00000052       0x20 target/libflowlet_c.a(a.o)
 .rodata.a      0x00000072        0x3 target/libflowlet_c.a(a.o)
 *fill*         0x00000075        0x1
 .data.a        0x20000000        0x4 target/libflowlet_c.a(b.o)
 .bss.a         0x20000004        0x8 target/libflowlet_c.a(b.o)
 .debug_info    0x00000000      0x800 target/libflowlet_c.a(a.o)
";
        assert_eq!(library_lens(map), [0x20 + 3 + 4, 12]);
    }
}
