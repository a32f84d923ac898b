//! Boards that QEMU plays. Their chips have no random source that it plays too.

use std::time::Duration;

use super::super::emulator::{ARM, Machine, RISCV32};
use super::{Facts, Pages, Region, Way};

const SEEDED: &str = "Xoshiro128++, seeded";

/// Of RAM in the place of flash, which is erased as most flash is, and at once.
const PAGES: Pages = Pages {
    len: 4096,
    time: Duration::ZERO,
};

pub(super) static M0: Facts = Facts {
    name: "qemu-m0",
    core: "Cortex-M0",
    description: "Cortex-M0 with 16 KB of RAM and 256 KB of flash, in QEMU (microbit)",
    target: "thumbv6m-none-eabi",
    flash: Region {
        start: 0,
        len: 256 << 10,
    },
    pages: Pages { len: 1024, ..PAGES },
    ram_len: 16 << 10,
    models_offset: 80 << 10,
    random_source: SEEDED,
    time_per_mac: Duration::from_nanos(1000),
    way: Way::Emulated(Machine {
        emulator: &ARM,
        name: "microbit",
    }),
};

pub(super) static M3: Facts = Facts {
    core: "Cortex-M3",
    description: "Cortex-M3 with 4 MB of RAM, in QEMU (mps2-an385)",
    target: "thumbv7m-none-eabi",
    time_per_mac: Duration::from_nanos(650),
    ..mps2("qemu-m3", "mps2-an385")
};

pub(super) static M4: Facts = Facts {
    core: "Cortex-M4F",
    description: "Cortex-M4F with 4 MB of RAM, in QEMU (mps2-an386)",
    ..mps2("qemu-m4", "mps2-an386")
};

pub(super) static M7: Facts = Facts {
    core: "Cortex-M7",
    description: "Cortex-M7 with FPU and 4 MB of RAM, in QEMU (mps2-an500)",
    ..mps2("qemu-m7", "mps2-an500")
};

pub(super) static M33: Facts = Facts {
    core: "Cortex-M33",
    description: "Cortex-M33 with FPU and 4 MB of RAM, in QEMU (mps2-an505)",
    target: "thumbv8m.main-none-eabihf",
    flash: Region {
        start: 0x1000_0000,
        len: 4 << 20,
    },
    ..mps2("qemu-m33", "mps2-an505")
};

pub(super) static RV32: Facts = Facts {
    name: "qemu-rv32",
    core: "RV32IMAC",
    description: "RV32IMAC with 4 MB of RAM, in QEMU (virt)",
    target: "riscv32imac-unknown-none-elf",
    flash: Region {
        start: 0x8000_0000,
        len: 4 << 20,
    },
    pages: PAGES,
    ram_len: 4 << 20,
    models_offset: 96 << 10,
    random_source: SEEDED,
    time_per_mac: Duration::from_nanos(600),
    way: Way::Emulated(Machine {
        emulator: &RISCV32,
        name: "virt",
    }),
};

/// One of Arm's MPS2 boards, which differ by their core: this one has an FPU.
const fn mps2(name: &'static str, machine: &'static str) -> Facts {
    Facts {
        name,
        core: "",
        description: "",
        target: "thumbv7em-none-eabihf",
        flash: Region {
            start: 0,
            len: 4 << 20,
        },
        pages: PAGES,
        ram_len: 4 << 20,
        models_offset: 80 << 10,
        random_source: SEEDED,
        time_per_mac: Duration::from_nanos(100),
        way: Way::Emulated(Machine {
            emulator: &ARM,
            name: machine,
        }),
    }
}
