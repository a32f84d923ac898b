//! Links for a microcontroller.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // cortex-m-rt's script, and no padding of segments to the pages of an operating system.
    println!("cargo::rustc-link-arg=-Tlink.x");
    println!("cargo::rustc-link-arg=--nmagic");
}
