//! What a sample takes of each core, told by the sizes of a model.
//!
//! ```text
//! instructions = Σ over parts: how many of the part a sample has · what one takes on the core
//! ```
//!
//! The kernels work in blocks of four outputs and groups of four inputs, so those count, not
//! multiply-adds. What a part takes is fitted to models that are counted in QEMU, by least squares of
//! the relative error; `cargo xtask bench cost` does so, and prints the table that is here.
//!
//! Cores without an FPU take longer for some numbers than for others, above all for `eˢ`: that is
//! what most of the error comes from, and it is the larger the smaller the nets are.

use flowlet::format::Description;
use flowlet::{Activation, Kind, Precision};

use super::Board;

/// How far the estimates are from what a board counts, at most: the costs of parts are those of random weights, in a
/// firmware that knows the model's dimension when it is compiled.
pub const TOLERANCE: f64 = 0.12;

/// What one of each part takes on each of [`Board::QEMU`], as `cargo xtask bench cost` prints it.
#[rustfmt::skip]
static INSTRUCTIONS: [(Part, [f64; Board::QEMU.len()]); Part::ALL.len()] = [
    (Part::Dimension, [640.0, 364.7, 94.1, 94.1, 93.3, 418.6]),
    (Part::Moved, [2907.0, 1675.0, 128.6, 128.6, 125.9, 1660.6]),
    (Part::Stepped, [825.8, 481.9, 38.2, 38.2, 37.2, 482.1]),
    (Part::Context, [480.9, 297.6, 33.7, 33.7, 33.7, 278.2]),
    (Part::Net, [932.8, 608.9, 386.6, 386.6, 385.8, 733.1]),
    (Part::Layer, [225.9, 130.9, 145.6, 145.6, 145.6, 87.0]),
    (Part::FirstBlock, [21.1, 5.3, 6.4, 6.4, 6.3, 8.0]),
    (Part::FirstInput, [34.5, 16.4, 5.5, 5.5, 5.5, 18.5]),
    (Part::NextBlock, [70.9, 32.3, 43.4, 43.4, 43.4, 48.0]),
    (Part::NextGroup, [56.9, 37.5, 13.8, 13.8, 13.8, 54.3]),
    (Part::TanhBlock, [72.4, 49.6, 32.0, 32.0, 32.0, 73.7]),
    (Part::EluBlock, [55.7, 66.0, 51.4, 51.4, 51.4, 55.8]),
    (Part::FloatMac, [224.2, 131.7, 5.2, 5.2, 5.2, 122.9]),
    (Part::FloatTanh, [3723.4, 2203.2, 113.7, 113.7, 112.1, 2154.1]),
    (Part::FloatElu, [1640.5, 974.9, 62.5, 62.5, 62.1, 938.8]),
];

/// What a sample is made of. What there is as often as another part is counted with that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A dimension: a normal number, and the way to the data's units.
    Dimension,
    /// A dimension that a coupling moves: the way of one of its net's inputs to fixed point, of two
    /// outputs back, and `(x − t) / eˢ`.
    Moved,
    /// A dimension in an Euler step: the ways to fixed point and back, and `x + v / n`.
    Stepped,
    /// A context number that a net reads: its standardization, and its way to fixed point.
    Context,
    /// A net.
    Net,
    /// A layer of an integer net.
    Layer,
    /// Four outputs of a first layer, without what follows the sums.
    FirstBlock,
    /// An input of four outputs of a first layer.
    FirstInput,
    /// Four outputs of a later layer, without what follows the sums.
    NextBlock,
    /// Four inputs of four outputs of a later layer: 16 multiply-adds.
    NextGroup,
    /// tanh of four numbers, by table.
    TanhBlock,
    /// elu of four numbers, by table.
    EluBlock,
    /// A multiply-add in `f32`: of a net, or of a whitening.
    FloatMac,
    /// tanh of an `f32` number, with the start of its sum.
    FloatTanh,
    /// elu of an `f32` number, with the start of its sum.
    FloatElu,
}

/// How many of each part there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work([u64; Part::ALL.len()]);

impl Part {
    /// Every part there is, in the order of their declaration.
    pub const ALL: [Self; 15] = [
        Self::Dimension,
        Self::Moved,
        Self::Stepped,
        Self::Context,
        Self::Net,
        Self::Layer,
        Self::FirstBlock,
        Self::FirstInput,
        Self::NextBlock,
        Self::NextGroup,
        Self::TanhBlock,
        Self::EluBlock,
        Self::FloatMac,
        Self::FloatTanh,
        Self::FloatElu,
    ];
}

impl Work {
    /// The parts of one sample.
    pub fn of_sample(description: &Description<'_>) -> Self {
        let mut work = Self::default();
        let nets = 0..description.net_count();
        match description.kind {
            Kind::RealNvp { .. } => {
                for k in nets {
                    work.add_evaluation(description, k, 1);
                    work.add(Part::Moved, description.net_ends(k).1 / 2);
                }
            }
            Kind::FlowMatching { step_count } => {
                let step_count = usize::from(step_count.get());
                work.add_evaluation(description, 0, step_count);
                work.add(Part::Stepped, step_count * usize::from(description.dim));
            }
        }
        work.add(Part::Dimension, description.dim.into());
        work.add(Part::FloatMac, description.factor_len());
        work
    }

    /// The parts of integer net `k` alone, from and to its fixed point.
    pub fn of_integer_net(description: &Description<'_>, k: usize) -> Self {
        let mut work = Self::default();
        work.add_integer_layers(description, k, 1);
        work
    }

    /// How many of `part` there are.
    pub fn count(&self, part: Part) -> u64 {
        self.0[part as usize]
    }

    /// Instructions that the work takes on the board's core, on average, within [`TOLERANCE`].
    pub fn instructions(&self, board: Board) -> u64 {
        let parts = INSTRUCTIONS.iter();
        let sum: f64 = parts
            .map(|(part, of_one)| self.count(*part) as f64 * of_one[board.emulated() as usize])
            .sum();
        sum as u64
    }

    fn add(&mut self, part: Part, count: usize) {
        self.0[part as usize] += count as u64;
    }

    /// Adds `times` evaluations of net `k`, from the numbers that it reads to those that it gives.
    fn add_evaluation(&mut self, description: &Description<'_>, k: usize, times: usize) {
        self.add(Part::Net, times);
        self.add(Part::Context, times * usize::from(description.context_dim));
        match description.net.precision {
            Precision::Int8 => self.add_integer_layers(description, k, times),
            Precision::F32 => self.add_float_layers(description, k, times),
        }
    }

    fn add_integer_layers(&mut self, description: &Description<'_>, k: usize, times: usize) {
        for (j, (inputs, outputs)) in description.layer_ends(k).enumerate() {
            let blocks = outputs.div_ceil(4);
            self.add(Part::Layer, times);
            if j == 0 {
                self.add(Part::FirstBlock, times * blocks);
                self.add(Part::FirstInput, times * blocks * inputs);
            } else {
                self.add(Part::NextBlock, times * blocks);
                self.add(Part::NextGroup, times * blocks * inputs.div_ceil(4));
            }
            if j < description.net.hidden.len() {
                self.add(
                    match description.net.activation {
                        Activation::Tanh => Part::TanhBlock,
                        Activation::Elu => Part::EluBlock,
                    },
                    times * blocks,
                );
            }
        }
    }

    fn add_float_layers(&mut self, description: &Description<'_>, k: usize, times: usize) {
        for (j, (inputs, outputs)) in description.layer_ends(k).enumerate() {
            self.add(Part::FloatMac, times * inputs * outputs);
            if j < description.net.hidden.len() {
                self.add(
                    match description.net.activation {
                        Activation::Tanh => Part::FloatTanh,
                        Activation::Elu => Part::FloatElu,
                    },
                    times * outputs,
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flowlet::format::Net;

    fn description(kind: Kind, precision: Precision) -> Description<'static> {
        Description {
            name: "",
            labels: "",
            dim: 3,
            context_dim: 1,
            whitened: false,
            calibrated: false,
            kind,
            net: Net {
                precision,
                activation: Activation::Tanh,
                hidden: [8, 6].into_iter().collect(),
            },
        }
    }

    /// The parts that there are.
    fn parts(description: &Description<'_>) -> Vec<(Part, u64)> {
        let work = Work::of_sample(description);
        let counts = Part::ALL.map(|part| (part, work.count(part)));
        counts.into_iter().filter(|(_, count)| *count > 0).collect()
    }

    #[test]
    fn couplings_are_counted_by_blocks_and_groups() {
        let kind = Kind::RealNvp {
            layer_count: 2,
            scale_clip: 2.0,
        };
        // Nets of 3-8-6-2 and 2-8-6-4.
        let expected = [
            (Part::Dimension, 3),
            (Part::Moved, 1 + 2),
            (Part::Context, 2),
            (Part::Net, 2),
            (Part::Layer, 2 * 3),
            (Part::FirstBlock, 2 * 2),
            (Part::FirstInput, 2 * 3 + 2 * 2),
            (Part::NextBlock, 2 * (2 + 1)),
            (Part::NextGroup, 2 * (2 * 2 + 2)),
            (Part::TanhBlock, 2 * (2 + 2)),
        ];
        assert_eq!(parts(&description(kind, Precision::Int8)), expected);
    }

    #[test]
    fn steps_of_an_f32_net_are_counted_by_multiply_adds() {
        let step_count = std::num::NonZeroU16::new(10).unwrap();
        let kind = Kind::FlowMatching { step_count };
        // A net of 5-8-6-3.
        let expected = [
            (Part::Dimension, 3),
            (Part::Stepped, 10 * 3),
            (Part::Context, 10),
            (Part::Net, 10),
            (Part::FloatMac, 10 * (5 * 8 + 8 * 6 + 6 * 3)),
            (Part::FloatTanh, 10 * (8 + 6)),
        ];
        assert_eq!(parts(&description(kind, Precision::F32)), expected);
    }

    #[test]
    fn each_part_takes_something_on_each_core() {
        for (i, (part, of_one)) in INSTRUCTIONS.iter().enumerate() {
            assert_eq!(*part, Part::ALL[i]);
            assert!(of_one.iter().all(|n| *n > 0.0), "{part:?}: {of_one:?}");
        }
    }
}
