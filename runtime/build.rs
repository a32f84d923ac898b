//! Chooses the integer kernel by the target's name: stable Rust tells no features of Arm's
//! microcontrollers.

use std::env;

/// Kernels in assembly, and how the targets' names begin that have them.
const KERNELS: [(&str, &[&str]); 4] = [
    ("dsp", &["thumbv7em-"]),
    ("armv7m", &["thumbv7m-", "thumbv8m.main-"]),
    ("armv6m", &["thumbv6m-", "thumbv8m.base-"]),
    // Not RV32E, whose names begin with `riscv32e`: it has half the registers.
    ("rv32im", &["riscv32im"]),
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let names = KERNELS.map(|(kernel, _)| format!("{kernel:?}")).join(", ");
    println!("cargo::rustc-check-cfg=cfg(assembly, values(none(), {names}))");

    let target = env::var("TARGET").expect("cargo names the target");
    let begins = |names: &[&str]| names.iter().any(|name| target.starts_with(name));
    let mut kernels = KERNELS.into_iter();
    let Some((mut kernel, _)) = kernels.find(|(_, names)| begins(names)) else {
        return;
    };
    let is_armv8m = target.starts_with("thumbv8m.main-");
    if is_armv8m && env::var_os("CARGO_FEATURE_DSP").is_some() {
        kernel = "dsp";
    }
    println!("cargo::rustc-cfg=assembly");
    println!("cargo::rustc-cfg=assembly={kernel:?}");
    // Armv7E-M always has the extension, Rust's target for Armv8-M leaves it out, and the assembler
    // has no name for it alone.
    let directive = if is_armv8m { ".cpu cortex-m33" } else { "" };
    println!("cargo::rustc-env=FLOWLET_DSP_DIRECTIVE={directive}");
}
