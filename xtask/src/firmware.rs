//! What the boards' firmware is built with.

/// A board, by its feature in `firmware-examples`.
#[derive(Clone, Copy)]
pub(crate) struct Board {
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
}

pub(crate) const BOARDS: [Board; 2] = [
    Board {
        name: "qemu-m4",
        target: "thumbv7em-none-eabihf",
    },
    Board {
        name: "qemu-m0",
        target: "thumbv6m-none-eabi",
    },
];
