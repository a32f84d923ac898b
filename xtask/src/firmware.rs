//! What the boards' firmware is built with.

/// A board, by its feature in `firmware-examples`.
#[derive(Clone, Copy)]
pub(crate) struct Board {
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
    /// What is built for it, as cargo is told.
    pub(crate) packages: &'static str,
    /// What is linted with its log too, for one of each core and chip that differs in it.
    pub(crate) logging: Option<&'static str>,
}

/// For QEMU: all that has no chip of its own.
const ALL: &str = "--workspace --exclude embed --exclude embassy";
/// For silicon: what is written once for all boards.
const EXAMPLES: &str =
    "--package support --package sampler --package compare --package detector --package update";

const EMBASSY: &str = "--package support --package sampler --package compare --package detector --package update --package embassy";

pub(crate) const BOARDS: [Board; 10] = [
    Board {
        name: "qemu-m0",
        target: "thumbv6m-none-eabi",
        packages: ALL,
        logging: Some(EXAMPLES),
    },
    Board {
        name: "qemu-m3",
        target: "thumbv7m-none-eabi",
        packages: ALL,
        logging: None,
    },
    Board {
        name: "qemu-m4",
        target: "thumbv7em-none-eabihf",
        packages: ALL,
        logging: None,
    },
    Board {
        name: "qemu-m7",
        target: "thumbv7em-none-eabihf",
        packages: ALL,
        logging: None,
    },
    Board {
        name: "qemu-m33",
        target: "thumbv8m.main-none-eabihf",
        packages: ALL,
        logging: None,
    },
    Board {
        name: "qemu-rv32",
        target: "riscv32imac-unknown-none-elf",
        packages: ALL,
        logging: Some(EXAMPLES),
    },
    Board {
        name: "stm32f4-discovery",
        target: "thumbv7em-none-eabihf",
        packages: EXAMPLES,
        logging: Some(EXAMPLES),
    },
    Board {
        name: "nrf52840-dk",
        target: "thumbv7em-none-eabihf",
        packages: EMBASSY,
        logging: Some(EMBASSY),
    },
    Board {
        name: "pico",
        target: "thumbv6m-none-eabi",
        packages: EXAMPLES,
        logging: Some(EXAMPLES),
    },
    Board {
        name: "esp32c3",
        target: "riscv32imc-unknown-none-elf",
        packages: EXAMPLES,
        logging: Some(EXAMPLES),
    },
];
