//! The golden values of `golden/`, as they lie in its files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use flowlet_trainer::flow::Flow;
use flowlet_trainer::import::import;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The RealNVPs.
pub const REAL_NVP: [&str; 3] = ["real_nvp_2d", "real_nvp_3d_context", "real_nvp_5d"];
/// The velocity fields.
pub const FLOW_MATCHING: [&str; 2] = ["flow_matching_2d", "flow_matching_4d_context"];

/// One point of a RealNVP.
#[derive(Debug, Deserialize)]
pub struct RealNvpRow {
    /// What all of the row is conditioned on.
    pub context: Vec<f32>,
    /// A point in the data's units.
    pub x: Vec<f32>,
    /// `forward(x)`.
    pub z: Vec<f64>,
    /// `ln |det dz/dx|`.
    pub log_det: f64,
    /// `ln p(x)`.
    pub log_prob: f64,
    /// A latent.
    pub inverse_of: Vec<f32>,
    /// Its point.
    pub inverse: Vec<f64>,
}

/// One point of a velocity field.
#[derive(Debug, Deserialize)]
pub struct FlowMatchingRow {
    /// What all of the row is conditioned on.
    pub context: Vec<f32>,
    /// Noise, in standardized space.
    pub x0: Vec<f32>,
    /// A time.
    pub t: f32,
    /// The velocity at `x0` and `t`.
    pub velocity: Vec<f64>,
    /// Where Euler's method takes `x0`, by its number of steps, in the data's units.
    pub euler: BTreeMap<u16, Vec<f64>>,
}

#[derive(Deserialize)]
struct Golden<Row> {
    rows: Vec<Row>,
}

/// The flow of a golden file.
pub fn flow(name: &str) -> Flow {
    import(&path(name, "safetensors")).expect("the golden files are in place")
}

/// The rows of a golden file.
pub fn rows<Row: DeserializeOwned>(name: &str) -> Vec<Row> {
    let file = File::open(path(name, "json")).expect("the golden files are in place");
    let golden: Golden<Row> =
        serde_json::from_reader(BufReader::new(file)).expect("golden rows have one shape");
    golden.rows
}

fn path(name: &str, ending: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    folder.join(name).with_extension(ending)
}
