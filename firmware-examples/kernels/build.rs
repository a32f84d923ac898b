//! Links for a microcontroller.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // The start-up crate's script, and no padding of segments to the pages of an operating system.
    println!("cargo::rustc-link-arg=-Tlink.x");
    println!("cargo::rustc-link-arg=--nmagic");
}
