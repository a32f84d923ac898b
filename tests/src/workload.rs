//! What is measured on boards: models of the sizes that count, with random weights, on which no count
//! depends by much.

use std::num::NonZeroU16;

use flowlet::format::Description;
use flowlet::{Activation, Kind, Precision};
use flowlet_trainer::board::Board;
use flowlet_trainer::board::firmware::build;
use flowlet_trainer::model_file::ModelFile;
use rand::RngExt;

use crate::counter::Counts;
use crate::encoding::encode;
use crate::random_flow::{Generator, generator};
use crate::random_int8::{self, Size, random_transform};

/// Draws in one bracket of `firmware-examples/bench`.
pub const NORMALS: u32 = 1000;

/// A model.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Kind and sizes.
    pub title: &'static str,
    description: Description<'static>,
}

impl Workload {
    /// Kind of the model.
    pub fn kind(&self) -> Kind {
        self.description.kind
    }

    /// Multiply-adds of its first net.
    pub fn macs_per_net(&self) -> u64 {
        self.description.mac_count(0) as u64
    }

    /// Multiply-adds of all its nets.
    pub fn macs(&self) -> u64 {
        let nets = 0..self.description.net_count();
        nets.map(|k| self.description.mac_count(k) as u64).sum()
    }

    /// All its sizes.
    pub fn description(&self) -> &Description<'static> {
        &self.description
    }

    /// The same bytes each time.
    pub fn file(&self) -> ModelFile {
        let rng = &mut generator(1);
        let bytes = match self.description.net.precision {
            Precision::Int8 => random_int8::file(&self.description, Size::Usual, rng),
            Precision::F32 => encode(&self.description, &random_floats(&self.description, rng)),
        };
        ModelFile::from_bytes(self.title, &bytes)
    }

    /// Builds `firmware-examples/bench` around the model, and has it run.
    ///
    /// # Panics
    ///
    /// If the build or the run fails.
    pub fn counts(&self, board: Board) -> Counts {
        let program = build(board, "bench", Some(&self.file()));
        let program = program.unwrap_or_else(|error| panic!("{error}"));
        Counts::of(board, &program, "")
    }

    /// Instructions of a sample, on average over its noise: few draws take far longer than the others.
    pub fn instructions_per_sample(&self, counts: &Counts) -> f64 {
        let draws = counts.median("normals").instructions as f64 / f64::from(NORMALS);
        let transport = counts.median("transport").instructions as f64;
        transport + f64::from(self.description.dim) * draws
    }
}

/// What `flowlet train` fits to points of the plane.
pub fn default_real_nvp() -> Workload {
    let title = "RealNVP, 16 layers of 1-32-32-2";
    workload(title, 2, real_nvp(16), &[32, 32], Activation::Tanh)
}

/// What other implementations call usual: eight layers of 64-64.
pub fn large_real_nvp() -> Workload {
    workload(
        "RealNVP, 8 layers of 1-64-64-2",
        2,
        real_nvp(8),
        &[64, 64],
        Activation::Tanh,
    )
}

/// What `flowlet train --model flow-matching` does.
pub fn default_flow_matching() -> Workload {
    let title = "flow matching, 100 steps of 3-64-64-64-2";
    workload(title, 2, flow_matching(100), &[64; 3], Activation::Elu)
}

/// A RealNVP whose nets are `f32`.
pub fn f32_real_nvp() -> Workload {
    f32(3, 1, real_nvp(2), &[16], Activation::Tanh)
}

/// Nets alone, in models that have their ends.
pub fn nets() -> [Workload; 3] {
    let tanh = Activation::Tanh;
    [
        workload("A: 3-64-64-2", 2, flow_matching(1), &[64, 64], tanh),
        workload("B: 1-32-32-2", 2, real_nvp(1), &[32, 32], tanh),
        workload("C: 33-128-128-32", 32, flow_matching(1), &[128, 128], tanh),
    ]
}

/// Models whose sizes tell apart what the parts of a sample take.
pub fn fitted() -> Vec<Workload> {
    use Activation::{Elu, Tanh};
    vec![
        int8(3, 2, real_nvp(16), &[8], Tanh),
        int8(16, 0, real_nvp(12), &[64, 64], Tanh),
        int8(2, 20, real_nvp(16), &[], Tanh),
        int8(6, 1, real_nvp(16), &[32, 24], Elu),
        int8(2, 0, real_nvp(32), &[16; 3], Tanh),
        int8(10, 4, real_nvp(12), &[32], Tanh),
        int8(2, 0, flow_matching(4), &[64; 3], Elu),
        int8(32, 0, flow_matching(2), &[128, 128], Tanh),
        int8(1, 0, flow_matching(20), &[8], Tanh),
        int8(4, 8, flow_matching(8), &[16; 4], Elu),
        int8(40, 0, flow_matching(4), &[], Tanh),
        int8(64, 0, flow_matching(4), &[4], Tanh),
        int8(1, 0, flow_matching(10), &[128], Tanh),
        int8(12, 3, flow_matching(3), &[40], Elu),
        f32(4, 1, real_nvp(12), &[16, 16], Tanh),
        f32(3, 0, flow_matching(2), &[32, 32], Elu),
        f32(2, 0, real_nvp(12), &[40, 8], Elu),
        f32(16, 4, flow_matching(3), &[64], Tanh),
    ]
}

/// Models of other sizes than those fitted.
pub fn held_out() -> Vec<Workload> {
    use Activation::{Elu, Tanh};
    vec![
        large_real_nvp(),
        int8(7, 5, real_nvp(12), &[20, 12], Elu),
        int8(10, 2, flow_matching(5), &[48], Tanh),
        f32(5, 2, flow_matching(4), &[24; 3], Elu),
        whitened(int8(16, 0, real_nvp(8), &[32, 32], Tanh)),
    ]
}

fn int8(dim: u8, context_dim: u8, kind: Kind, hidden: &[u16], activation: Activation) -> Workload {
    Workload {
        title: "a model",
        description: random_int8::description(dim, context_dim, kind, hidden, activation),
    }
}

fn f32(dim: u8, context_dim: u8, kind: Kind, hidden: &[u16], activation: Activation) -> Workload {
    let mut workload = int8(dim, context_dim, kind, hidden, activation);
    workload.description.net.precision = Precision::F32;
    workload
}

fn whitened(mut workload: Workload) -> Workload {
    workload.description.whitened = true;
    workload
}

/// All bytes of an `f32` model's weights, with pre-activations that have a variance near 1.
fn random_floats(description: &Description<'_>, rng: &mut Generator) -> Vec<u8> {
    let mut floats = random_transform(description, rng);
    for k in 0..description.net_count() {
        for (inputs, outputs) in description.layer_ends(k) {
            let largest = (3.0 / inputs.max(1) as f32).sqrt();
            let count = (inputs + 1) * outputs;
            floats.extend((0..count).map(|_| rng.random_range(-largest..largest)));
        }
    }
    floats.into_iter().flat_map(f32::to_le_bytes).collect()
}

fn workload(
    title: &'static str,
    dim: u8,
    kind: Kind,
    hidden: &[u16],
    activation: Activation,
) -> Workload {
    Workload {
        title,
        description: random_int8::description(dim, 0, kind, hidden, activation),
    }
}

fn real_nvp(layer_count: u8) -> Kind {
    Kind::RealNvp {
        layer_count,
        scale_clip: 2.0,
    }
}

fn flow_matching(step_count: u16) -> Kind {
    let step_count = NonZeroU16::new(step_count).expect("a field takes steps");
    Kind::FlowMatching { step_count }
}
