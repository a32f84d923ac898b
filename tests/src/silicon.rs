//! Firmware for boards of silicon, built and linked for their chips.

use std::env;
use std::fs::{self, File};
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use crate::elf::Elf;

/// A board, as `firmware-examples` has it.
#[derive(Clone, Debug)]
pub struct Silicon {
    /// Its feature.
    pub name: &'static str,
    /// Rust's target of its core.
    pub target: &'static str,
    /// What is built for it.
    pub examples: &'static [&'static str],
    /// Addresses of the flash that the program may take, as data and as code.
    pub flash: [Range<u64>; 2],
    /// Addresses of the RAM, as data and as code.
    pub ram: [Range<u64>; 2],
    /// Bytes of the region for models.
    pub region_len: u64,
}

const EXAMPLES: &[&str] = &["sampler", "compare", "detector", "update"];
const KB: u64 = 1 << 10;

/// All boards of silicon.
pub const SILICON: [Silicon; 4] = [
    Silicon {
        name: "stm32f4-discovery",
        target: "thumbv7em-none-eabihf",
        examples: EXAMPLES,
        flash: [0x0800_0000..0x0804_0000, 0..0],
        ram: [0x2000_0000..0x2002_0000, 0..0],
        region_len: 768 * KB,
    },
    Silicon {
        name: "nrf52840-dk",
        target: "thumbv7em-none-eabihf",
        examples: &["sampler", "compare", "detector", "update", "embassy"],
        flash: [0..0x0004_0000, 0..0],
        ram: [0x2000_0000..0x2004_0000, 0..0],
        region_len: 768 * KB,
    },
    Silicon {
        name: "pico",
        target: "thumbv6m-none-eabi",
        examples: EXAMPLES,
        flash: [0x1000_0000..0x1004_0000, 0..0],
        ram: [0x2000_0000..0x2004_0000, 0..0],
        region_len: 1792 * KB,
    },
    Silicon {
        name: "esp32c3",
        target: "riscv32imc-unknown-none-elf",
        examples: EXAMPLES,
        // Constants and code, by the addresses that the boot loader gives them: up to the window to the models,
        // and what shares its entries.
        flash: [0x3C00_0000..0x3C40_0000, 0x4200_0000..0x4240_0000],
        ram: [0x3FC8_0000..0x3FCE_0000, 0x4037_C000..0x403E_0000],
        region_len: 2048 * KB,
    },
];

impl Silicon {
    /// Builds an example for the board, with more features than its own, parted by commas.
    ///
    /// # Panics
    ///
    /// If the build fails.
    pub fn build(&self, example: &str, features: &str) -> Elf {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("firmware-examples");
        let target = folder.join("target");
        fs::create_dir_all(&target).expect("the workspace takes folders");
        // As builds of the trainer wait: boards of one core have one place for their programs.
        let lock = File::create(target.join("flowlet.lock")).expect("the folder takes files");
        lock.lock().expect("the file can be locked");

        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        for (name, _) in env::vars_os() {
            if is_of_the_host(&name.to_string_lossy()) {
                cargo.env_remove(name);
            }
        }
        cargo
            .current_dir(&folder)
            .args(["build", "--release", "--quiet", "--locked"])
            .args(["--package", example, "--target", self.target])
            .args(["--features", &format!("{},{features}", self.name)])
            .args(["--target-dir", "target"]);
        let output = cargo.output().expect("cargo starts");
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{example} for {}: {message}",
            self.name
        );
        Elf::read(&target.join(self.target).join("release").join(example))
    }
}

/// Whether a variable is for the builds of this computer, or left by the cargo that runs the tests.
fn is_of_the_host(name: &str) -> bool {
    let is_cargo = name.starts_with("CARGO_") && !name.starts_with("CARGO_HOME");
    let is_network = ["CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR"];
    name == "RUSTFLAGS" || is_cargo && !is_network.iter().any(|start| name.starts_with(start))
}
