//! For build scripts of examples: links for a microcontroller, and takes in a model file as
//! `model.flow` and its sizes as the constants of `model.rs`, both in `OUT_DIR`.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use flowlet::Model;

/// Used where `FLOWLET_MODEL` names no other; relative to an example.
const DEFAULT_MODEL: &str = "../../runtime/src/moons.flow";

/// Links with the start-up crate's script, by the name that it has there.
pub fn link() {
    println!("cargo::rerun-if-changed=build.rs");
    let is_esp = env::var_os("CARGO_FEATURE_ESP32C3").is_some();
    let script = if is_esp { "linkall.x" } else { "link.x" };
    println!("cargo::rustc-link-arg=-T{script}");
    if env::var_os("CARGO_FEATURE_DEFMT").is_some() {
        // The texts of the log, which stay in the ELF file.
        println!("cargo::rustc-link-arg=-Tdefmt.x");
    }
    // No padding of segments to the pages of an operating system.
    println!("cargo::rustc-link-arg=--nmagic");
}

/// Keeps the program out of the flash region for a model.
pub fn model_region() {
    println!("cargo::rustc-link-arg=-Tmodel.x");
}

/// Takes in the model that `FLOWLET_MODEL` names; the build fails where there is none.
pub fn model() {
    println!("cargo::rerun-if-env-changed=FLOWLET_MODEL");
    let path = env::var_os("FLOWLET_MODEL").map_or_else(|| DEFAULT_MODEL.into(), PathBuf::from);
    println!("cargo::rerun-if-changed={}", path.display());
    if let Err(message) = embed(&path) {
        println!("cargo::error={message}");
    }
}

fn embed(path: &Path) -> Result<(), String> {
    let bytes = fs::read(path).map_err(|error| {
        format!(
            "cannot read the model file {}: {error}; set FLOWLET_MODEL to the absolute path of one",
            path.display()
        )
    })?;
    let constants = constants(&bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(folder.join("model.flow"), bytes)
        .and_then(|()| fs::write(folder.join("model.rs"), constants))
        .map_err(|error| format!("cannot write to {}: {error}", folder.display()))
}

/// The model's sizes, as Rust.
fn constants(bytes: &[u8]) -> Result<String, flowlet::Error> {
    let mut buffer = vec![0; bytes.len() + 3];
    let start = buffer.as_ptr().align_offset(4);
    let aligned = &mut buffer[start..][..bytes.len()];
    aligned.copy_from_slice(bytes);
    let model = Model::from_bytes(aligned)?;
    Ok(format!(
        "const DIM: usize = {};\nconst CONTEXT_DIM: usize = {};\nconst SCRATCH_LEN: usize = {};\n",
        model.dim(),
        model.context_dim(),
        model.scratch_len()
    ))
}
