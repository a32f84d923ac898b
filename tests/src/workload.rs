//! What is measured on boards: int8 models of the sizes that count, with random weights, on which no
//! count depends by much.

use std::num::NonZeroU16;

use crate::random_flow::generator;
use crate::random_int8::{self, Size};
use flowlet::format::Description;
use flowlet::{Activation, Kind};
use flowlet_trainer::model_file::ModelFile;

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

    /// The same bytes each time.
    pub fn file(&self) -> ModelFile {
        let bytes = random_int8::file(&self.description, Size::Usual, &mut generator(1));
        ModelFile::from_bytes(self.title, &bytes)
    }
}

/// What `flowlet train` fits to points of the plane.
pub fn default_real_nvp() -> Workload {
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

/// Nets alone, in models that have their ends.
pub fn nets() -> [Workload; 3] {
    let tanh = Activation::Tanh;
    [
        workload("A: 3-64-64-2", 2, flow_matching(1), &[64, 64], tanh),
        workload("B: 1-32-32-2", 2, real_nvp(1), &[32, 32], tanh),
        workload("C: 33-128-128-32", 32, flow_matching(1), &[128, 128], tanh),
    ]
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
