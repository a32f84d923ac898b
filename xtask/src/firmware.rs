//! What the boards' firmware is built with.

/// A board, by its feature in `firmware-examples`.
#[derive(Clone, Copy)]
pub(crate) struct Board {
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
}

pub(crate) const BOARDS: [Board; 6] = [
    Board {
        name: "qemu-m0",
        target: "thumbv6m-none-eabi",
    },
    Board {
        name: "qemu-m3",
        target: "thumbv7m-none-eabi",
    },
    Board {
        name: "qemu-m4",
        target: "thumbv7em-none-eabihf",
    },
    Board {
        name: "qemu-m7",
        target: "thumbv7em-none-eabihf",
    },
    Board {
        name: "qemu-m33",
        target: "thumbv8m.main-none-eabihf",
    },
    Board {
        name: "qemu-rv32",
        target: "riscv32imac-unknown-none-elf",
    },
];
