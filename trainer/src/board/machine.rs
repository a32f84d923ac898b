//! The boards there are, and what each is.

use std::fmt;
use std::time::Duration;

use super::BoardError;
use super::emulator::{self, Emulator};
use super::firmware;

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
}

/// Flash that is kept for models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Address of its first byte, on a word boundary.
    pub start: u32,
    /// Bytes.
    pub len: usize,
}

#[derive(Debug)]
pub(super) struct Facts {
    name: &'static str,
    core: &'static str,
    description: &'static str,
    target: &'static str,
    emulator: &'static Emulator,
    machine: &'static str,
    pub(super) flash_len: usize,
    pub(super) ram_len: usize,
    region: Region,
    /// What a multiply-add takes in QEMU, measured on one core of a slow host.
    time_per_mac: Duration,
}

static QEMU_M0: Facts = Facts {
    name: "qemu-m0",
    core: "Cortex-M0",
    description: "Cortex-M0 with 16 KB of RAM and 256 KB of flash, in QEMU (microbit)",
    target: "thumbv6m-none-eabi",
    emulator: &emulator::ARM,
    machine: "microbit",
    flash_len: 256 << 10,
    ram_len: 16 << 10,
    region: Region {
        start: 0x0001_4000,
        len: (256 - 80) << 10,
    },
    time_per_mac: Duration::from_nanos(1000),
};

static QEMU_M3: Facts = Facts {
    name: "qemu-m3",
    core: "Cortex-M3",
    description: "Cortex-M3 with 4 MB of RAM, in QEMU (mps2-an385)",
    target: "thumbv7m-none-eabi",
    emulator: &emulator::ARM,
    machine: "mps2-an385",
    flash_len: 4 << 20,
    ram_len: 4 << 20,
    region: Region {
        start: 0x0001_0000,
        len: (4096 - 64) << 10,
    },
    time_per_mac: Duration::from_nanos(650),
};

static QEMU_M4: Facts = Facts {
    name: "qemu-m4",
    core: "Cortex-M4F",
    description: "Cortex-M4F with 4 MB of RAM, in QEMU (mps2-an386)",
    target: "thumbv7em-none-eabihf",
    emulator: &emulator::ARM,
    machine: "mps2-an386",
    flash_len: 4 << 20,
    ram_len: 4 << 20,
    region: Region {
        start: 0x0001_0000,
        len: (4096 - 64) << 10,
    },
    time_per_mac: Duration::from_nanos(100),
};

static QEMU_M7: Facts = Facts {
    name: "qemu-m7",
    core: "Cortex-M7",
    description: "Cortex-M7 with FPU and 4 MB of RAM, in QEMU (mps2-an500)",
    target: "thumbv7em-none-eabihf",
    emulator: &emulator::ARM,
    machine: "mps2-an500",
    flash_len: 4 << 20,
    ram_len: 4 << 20,
    region: Region {
        start: 0x0001_0000,
        len: (4096 - 64) << 10,
    },
    time_per_mac: Duration::from_nanos(100),
};

static QEMU_M33: Facts = Facts {
    name: "qemu-m33",
    core: "Cortex-M33",
    description: "Cortex-M33 with FPU and 4 MB of RAM, in QEMU (mps2-an505)",
    target: "thumbv8m.main-none-eabihf",
    emulator: &emulator::ARM,
    machine: "mps2-an505",
    flash_len: 4 << 20,
    ram_len: 4 << 20,
    region: Region {
        start: 0x1001_0000,
        len: (4096 - 64) << 10,
    },
    time_per_mac: Duration::from_nanos(100),
};

static QEMU_RV32: Facts = Facts {
    name: "qemu-rv32",
    core: "RV32IMAC",
    description: "RV32IMAC with 4 MB of RAM, in QEMU (virt)",
    target: "riscv32imac-unknown-none-elf",
    emulator: &emulator::RISCV32,
    machine: "virt",
    flash_len: 4 << 20,
    ram_len: 4 << 20,
    region: Region {
        start: 0x8001_8000,
        len: (4096 - 96) << 10,
    },
    time_per_mac: Duration::from_nanos(600),
};

impl Board {
    /// Every board there is.
    pub const ALL: [Self; 6] = [
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

    /// The flash that is kept for models.
    pub fn model_region(self) -> Region {
        self.facts().region
    }

    /// Where its random numbers come from.
    pub fn random_source(self) -> &'static str {
        // The chips that QEMU plays have none that it plays too.
        "Xoshiro128++, seeded"
    }

    /// What runs it.
    pub fn runs_in(self) -> String {
        format!("QEMU, {}", self.machine())
    }

    /// What this computer lacks to run anything on it.
    pub fn missing(self) -> Vec<BoardError> {
        let checks = [
            firmware::source().map(drop),
            firmware::check_target(self),
            self.emulator().check(),
        ];
        checks.into_iter().filter_map(Result::err).collect()
    }

    /// What plays it.
    pub(super) fn emulator(self) -> &'static Emulator {
        self.facts().emulator
    }

    /// QEMU's name for it.
    pub(super) fn machine(self) -> &'static str {
        self.facts().machine
    }

    /// What `mac_count` multiply-adds take at most.
    pub(super) fn time(self, mac_count: u64) -> Duration {
        let nanoseconds = self.facts().time_per_mac.as_nanos() as u64;
        Duration::from_nanos(nanoseconds.saturating_mul(mac_count))
    }

    pub(super) fn facts(self) -> &'static Facts {
        match self {
            Self::QemuM0 => &QEMU_M0,
            Self::QemuM3 => &QEMU_M3,
            Self::QemuM4 => &QEMU_M4,
            Self::QemuM7 => &QEMU_M7,
            Self::QemuM33 => &QEMU_M33,
            Self::QemuRv32 => &QEMU_RV32,
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
        for board in Board::ALL {
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
            "there is no board \"stm32\": \
             choose qemu-m0, qemu-m3, qemu-m4, qemu-m7, qemu-m33 or qemu-rv32"
        );
    }
}
