//! The boards there are, and what each is.

mod emulated;
mod silicon;

use std::fmt;
use std::time::Duration;

use super::BoardError;
use super::emulator::Machine;
use super::firmware;
use super::flash::Tool;

/// A board that models run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Board {
    /// QEMU's `microbit`.
    QemuM0,
    /// QEMU's `mps2-an385`.
    QemuM3,
    /// QEMU's `mps2-an386`.
    QemuM4,
    /// QEMU's `mps2-an500`.
    QemuM7,
    /// QEMU's `mps2-an505`.
    QemuM33,
    /// QEMU's `virt` for 32-bit RISC-V.
    QemuRv32,
    /// ST's STM32F4DISCOVERY, with an STM32F407VG.
    Stm32f4Discovery,
    /// Nordic's nRF52840 DK.
    Nrf52840Dk,
    /// Raspberry Pi's Pico, with an RP2040.
    Pico,
    /// Espressif's ESP32-C3, on a board with 4 MB of flash.
    Esp32c3,
}

/// A part of a board's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Address of its first byte, on a word boundary.
    pub start: u32,
    /// Bytes.
    pub len: usize,
}

/// What flash is erased by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pages {
    /// Bytes that are erased at a time.
    pub(super) len: usize,
    /// What that takes at most.
    pub(super) time: Duration,
}

#[derive(Debug)]
struct Facts {
    name: &'static str,
    core: &'static str,
    description: &'static str,
    target: &'static str,
    flash: Region,
    /// Of the flash for models.
    pages: Pages,
    ram_len: usize,
    /// From flash's start to where models have the rest of it.
    models_offset: usize,
    random_source: &'static str,
    /// What a multiply-add takes at most, of an `f32` net: in QEMU measured on one core of a slow host.
    time_per_mac: Duration,
    way: Way,
}

/// How a program comes to run.
#[derive(Debug)]
enum Way {
    /// In QEMU.
    Emulated(Machine),
    /// On silicon, put there by a tool.
    Flashed(Tool),
}

impl Region {
    /// The address after its last byte.
    pub(super) fn end(self) -> u64 {
        u64::from(self.start) + self.len as u64
    }
}

impl Board {
    /// Every board there is.
    pub const ALL: [Self; 10] = [
        Self::QemuM0,
        Self::QemuM3,
        Self::QemuM4,
        Self::QemuM7,
        Self::QemuM33,
        Self::QemuRv32,
        Self::Stm32f4Discovery,
        Self::Nrf52840Dk,
        Self::Pico,
        Self::Esp32c3,
    ];

    /// The boards that are QEMU's, which need no hardware.
    pub const QEMU: [Self; 6] = [
        Self::QemuM0,
        Self::QemuM3,
        Self::QemuM4,
        Self::QemuM7,
        Self::QemuM33,
        Self::QemuRv32,
    ];

    /// The board called `name`.
    ///
    /// # Errors
    ///
    /// [`BoardError::Unknown`], which tells the names there are.
    pub fn from_name(name: &str) -> Result<Self, BoardError> {
        let found = Self::ALL.into_iter().find(|board| board.name() == name);
        found.ok_or_else(|| BoardError::Unknown { name: name.into() })
    }

    /// What `--board` calls it.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// What its core is called.
    pub fn core(self) -> &'static str {
        self.facts().core
    }

    /// The core, the memory and the machine, in a line.
    pub fn description(self) -> &'static str {
        self.facts().description
    }

    /// Rust's name for what it executes.
    pub fn target(self) -> &'static str {
        self.facts().target
    }

    /// All of its flash.
    pub fn flash(self) -> Region {
        self.facts().flash
    }

    /// What its flash for models is erased by.
    pub(super) fn pages(self) -> Pages {
        self.facts().pages
    }

    /// Bytes of all of its RAM.
    pub fn ram_len(self) -> usize {
        self.facts().ram_len
    }

    /// The flash that is kept for models.
    pub fn model_region(self) -> Region {
        let offset = self.facts().models_offset;
        Region {
            start: self.flash().start + offset as u32,
            len: self.flash().len - offset,
        }
    }

    /// Bytes that models may have.
    pub fn model_len(self) -> usize {
        self.model_region().len
    }

    /// Where its random numbers come from, where no seed is given.
    pub fn random_source(self) -> &'static str {
        self.facts().random_source
    }

    /// What runs it, or puts programs on it.
    pub fn runs_in(self) -> String {
        match &self.facts().way {
            Way::Emulated(machine) => format!("QEMU, {}", machine.name),
            Way::Flashed(tool) => format!("silicon, by {}", tool.name()),
        }
    }

    /// Whether it is one of QEMU's.
    pub fn is_emulated(self) -> bool {
        self.machine().is_ok()
    }

    /// The board of QEMU's whose core takes the same instructions.
    pub fn emulated(self) -> Self {
        match self {
            Self::Stm32f4Discovery | Self::Nrf52840Dk => Self::QemuM4,
            Self::Pico => Self::QemuM0,
            Self::Esp32c3 => Self::QemuRv32,
            emulated => emulated,
        }
    }

    /// What this computer lacks to build programs and run them on the board.
    pub fn missing(self) -> Vec<BoardError> {
        let way = match &self.facts().way {
            Way::Emulated(machine) => machine.emulator.check(),
            Way::Flashed(tool) => tool.check(),
        };
        let checks = [
            firmware::source().map(drop),
            firmware::check_target(self),
            way,
        ];
        checks.into_iter().filter_map(Result::err).collect()
    }

    /// What plays it.
    ///
    /// # Errors
    ///
    /// [`BoardError::NotEmulated`].
    pub(super) fn machine(self) -> Result<&'static Machine, BoardError> {
        match &self.facts().way {
            Way::Emulated(machine) => Ok(machine),
            Way::Flashed(_) => Err(BoardError::NotEmulated { board: self }),
        }
    }

    /// What puts programs on it.
    ///
    /// # Errors
    ///
    /// [`BoardError::Emulated`].
    pub(super) fn tool(self) -> Result<&'static Tool, BoardError> {
        match &self.facts().way {
            Way::Flashed(tool) => Ok(tool),
            Way::Emulated(_) => Err(BoardError::Emulated { board: self }),
        }
    }

    /// What `mac_count` multiply-adds take at most.
    pub(super) fn time(self, mac_count: u64) -> Duration {
        let nanoseconds = self.facts().time_per_mac.as_nanos() as u64;
        Duration::from_nanos(nanoseconds.saturating_mul(mac_count))
    }

    fn facts(self) -> &'static Facts {
        match self {
            Self::QemuM0 => &emulated::M0,
            Self::QemuM3 => &emulated::M3,
            Self::QemuM4 => &emulated::M4,
            Self::QemuM7 => &emulated::M7,
            Self::QemuM33 => &emulated::M33,
            Self::QemuRv32 => &emulated::RV32,
            Self::Stm32f4Discovery => &silicon::STM32F4_DISCOVERY,
            Self::Nrf52840Dk => &silicon::NRF52840_DK,
            Self::Pico => &silicon::PICO,
            Self::Esp32c3 => &silicon::ESP32C3,
        }
    }
}

impl fmt::Display for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Memory;
    use super::*;
    use std::path::Path;

    #[test]
    fn a_board_has_the_memory_of_its_map() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = folder.with_file_name("firmware-examples/support/boards");
        for board in Board::QEMU {
            let map = std::fs::read_to_string(folder.join(format!("{board}.x"))).unwrap();
            let len = |memory: &str| {
                let mut lines = map.lines().map(str::trim_start);
                let line = lines.find(|line| line.starts_with(memory)).unwrap();
                let len = line.split("LENGTH = ").nth(1).unwrap();
                match len.split_at(len.len() - 1) {
                    (number, "K") => number.parse::<usize>().unwrap() << 10,
                    (number, "M") => number.parse::<usize>().unwrap() << 20,
                    _ => panic!("{line}"),
                }
            };
            let (flash, ram) = (len("FLASH"), len("RAM"));
            assert_eq!(Memory { flash, ram }, board.memory(), "{board}");

            let region = board.model_region();
            let (_, origin) = map.split_once("FLASH : ORIGIN = 0x").unwrap();
            let origin = u32::from_str_radix(&origin[..8], 16).unwrap();
            let offset = region.start - origin;
            let kilobytes = offset >> 10;
            let line = format!(
                "_model_start = ORIGIN(FLASH) + {kilobytes}K; \
                 _model_end = ORIGIN(FLASH) + LENGTH(FLASH);"
            );
            assert!(map.contains(&line), "{board}: {line}");
            assert_eq!(offset as usize + region.len, flash, "{board}");
        }
    }

    #[test]
    fn each_board_has_a_name_of_its_own() {
        for board in Board::ALL {
            assert_eq!(Board::from_name(board.name()).unwrap(), board);
        }
        let error = Board::from_name("stm32").unwrap_err().to_string();
        assert_eq!(
            error,
            "there is no board \"stm32\": choose qemu-m0, qemu-m3, qemu-m4, qemu-m7, qemu-m33, \
             qemu-rv32, stm32f4-discovery, nrf52840-dk, pico or esp32c3"
        );
    }

    #[test]
    fn a_board_is_like_the_one_of_qemus_that_has_its_instructions() {
        for board in Board::ALL {
            let emulated = board.emulated();
            assert!(emulated.is_emulated(), "{board}");
            let family = |board: Board| board.target().split(['-', 'i']).next().unwrap();
            assert_eq!(family(board), family(emulated), "{board}");
        }
        assert!(Board::QEMU.iter().all(|board| board.emulated() == *board));
    }
}
