//! Boards of silicon. Times are those of the slowest clock that firmware may leave them at.

use std::time::Duration;

use super::super::flash::{Chip, Register, Tool};
use super::{Facts, Pages, Region, Way};

const MODELS_OFFSET: usize = 256 << 10;

pub(super) static STM32F4_DISCOVERY: Facts = Facts {
    name: "stm32f4-discovery",
    core: "Cortex-M4F",
    description: "Cortex-M4F with 128 KB of RAM and 1 MB of flash (STM32F407VG)",
    target: "thumbv7em-none-eabihf",
    flash: Region {
        start: 0x0800_0000,
        len: 1 << 20,
    },
    // Sectors 6 to 11, with words written at a time: STM32F405xx and F407xx datasheet, DS8626, "Flash memory
    // programming".
    pages: Pages {
        len: 128 << 10,
        time: Duration::from_secs(2),
    },
    ram_len: 128 << 10,
    models_offset: MODELS_OFFSET,
    random_source: "the chip's RNG",
    time_per_mac: Duration::from_micros(1),
    way: Way::Flashed(Tool::ProbeRs(Chip {
        name: "STM32F407VG",
        // DBGMCU_IDCODE, DEV_ID of STM32F405 to F417: RM0090, 38.6.1.
        id: Register {
            address: 0xE004_2000,
            mask: 0xFFF,
            value: 0x413,
        },
        // FLASH_OPTCR, RDP at level 0: RM0090, 3.9.10.
        unlocked: Some(Register {
            address: 0x4002_3C14,
            mask: 0xFF00,
            value: 0xAA00,
        }),
    })),
};

pub(super) static NRF52840_DK: Facts = Facts {
    name: "nrf52840-dk",
    core: "Cortex-M4F",
    description: "Cortex-M4F with 256 KB of RAM and 1 MB of flash (nRF52840)",
    target: "thumbv7em-none-eabihf",
    flash: Region {
        start: 0,
        len: 1 << 20,
    },
    // nRF52840 product specification, NVMC, "Electrical specification".
    pages: Pages {
        len: 4096,
        time: Duration::from_millis(85),
    },
    ram_len: 256 << 10,
    models_offset: MODELS_OFFSET,
    random_source: "the chip's RNG",
    time_per_mac: Duration::from_micros(1),
    way: Way::Flashed(Tool::ProbeRs(Chip {
        name: "nRF52840_xxAA",
        // FICR, INFO.PART: nRF52840 product specification, 4.4.1.
        id: Register {
            address: 0x1000_0100,
            mask: !0,
            value: 0x0005_2840,
        },
        // The probe finds out itself: a locked one lets nobody in.
        unlocked: None,
    })),
};

pub(super) static PICO: Facts = Facts {
    name: "pico",
    core: "Cortex-M0+",
    description: "Cortex-M0+ with 256 KB of RAM and 2 MB of flash (RP2040)",
    target: "thumbv6m-none-eabi",
    flash: Region {
        start: 0x1000_0000,
        len: 2 << 20,
    },
    // Its W25Q16JV's datasheet, "AC electrical characteristics", sector erase.
    pages: Pages {
        len: 4096,
        time: Duration::from_millis(400),
    },
    ram_len: 256 << 10,
    models_offset: MODELS_OFFSET,
    random_source: "the ring oscillator",
    time_per_mac: Duration::from_micros(4),
    way: Way::Flashed(Tool::Uf2(Chip {
        name: "RP2040",
        // SYSINFO, CHIP_ID without its revision: RP2040 datasheet, 2.20.1.
        id: Register {
            address: 0x4000_0000,
            mask: 0x0FFF_FFFF,
            value: 0x0000_2927,
        },
        unlocked: None,
    })),
};

/// Its addresses are those of flash: a program sees it elsewhere.
pub(super) static ESP32C3: Facts = Facts {
    name: "esp32c3",
    core: "RV32IMC",
    description: "RV32IMC with 400 KB of RAM and 4 MB of flash (ESP32-C3)",
    target: "riscv32imc-unknown-none-elf",
    flash: Region {
        start: 0,
        len: 4 << 20,
    },
    // ESP32-C3 datasheet, "Memory specifications", of the flash within the chip.
    pages: Pages {
        len: 4096,
        time: Duration::from_millis(500),
    },
    ram_len: 400 << 10,
    models_offset: 2 << 20,
    random_source: "the chip's RNG",
    time_per_mac: Duration::from_micros(2),
    way: Way::Flashed(Tool::Espflash { chip: "esp32c3" }),
};
