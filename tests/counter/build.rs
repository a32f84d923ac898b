//! Lets QEMU's functions be found when QEMU loads the plugin.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // The linkers of other systems leave open what is missing.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "macos") {
        println!("cargo::rustc-cdylib-link-arg=-undefined");
        println!("cargo::rustc-cdylib-link-arg=dynamic_lookup");
    }
}
