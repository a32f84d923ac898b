//! Layers with random numbers, by a kernel and by the definition.
//!
//! Firmware takes in this file as well: it uses `core` alone, and memory that the smallest board has.

use core::fmt;
use core::ops::Range;

use flowlet::Activation;
use flowlet::trial::Trial;

/// Layers after which sizes, activations and magnitudes come again.
pub const LAYER_COUNT: u32 = 2 * 3 * 4 * MAX_INPUTS as u32;

const MAX_INPUTS: usize = 256;
/// 64 dimensions, the time and 32 context numbers.
const MAX_FIRST_INPUTS: usize = 97;
const MAX_OUTPUTS: usize = 256;
/// Layers with more inputs than [`FEW_INPUTS`] have at most this many outputs.
const FEW_OUTPUTS: usize = 12;
const FEW_INPUTS: usize = 8;
/// 64 blocks of a first layer with few inputs take most.
const MAX_BLOCK_WORDS: usize = MAX_OUTPUTS / 4 * (4 + 2 * FEW_INPUTS);

/// Where FNV-1a starts.
const FNV_OFFSET: u32 = 2_166_136_261;
/// What lies in the results before, and behind them afterwards.
const UNTOUCHED: u32 = 0xA5C3_5AF1;
/// The last of a net's layers writes a word an output; two more tell whether it ends there.
const RESULT_WORDS: usize = MAX_OUTPUTS + 2;

/// Memory for one layer at a time.
#[derive(Debug)]
pub struct Comparison {
    blocks: [u32; MAX_BLOCK_WORDS],
    input: [u32; MAX_INPUTS],
    expected: [u32; RESULT_WORDS],
    found: [u32; RESULT_WORDS],
}

/// A layer of which the kernel makes something else than the definition.
#[derive(Debug)]
pub struct Difference {
    number: u32,
    facts: Facts,
    output_word: usize,
    expected: u32,
    found: u32,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, facts, .. } = self;
        write!(f, "layer {number}, {facts:?}: ")?;
        let Self { output_word, .. } = self;
        let (expected, found) = (self.expected, self.found);
        write!(f, "word {output_word} is {found:08x} for {expected:08x}")
    }
}

#[derive(Clone, Copy, Debug)]
struct Facts {
    is_first: bool,
    activation: Option<Activation>,
    magnitude: Magnitude,
    inputs: usize,
    outputs: usize,
    shift: u32,
    exponent: u32,
}

/// How large weights, biases, multipliers and inputs are.
#[derive(Clone, Copy, Debug)]
enum Magnitude {
    /// All values alike.
    Any,
    /// Small weights.
    Small,
    /// Largest values of random sign; biases and multipliers as large as the loader lets them be.
    Extreme,
    /// The same, of one sign for an output's weights, and of one sign for the inputs.
    OneSided,
}

impl Default for Comparison {
    fn default() -> Self {
        Self::new()
    }
}

impl Comparison {
    /// Zeroed memory.
    pub const fn new() -> Self {
        Self {
            blocks: [0; MAX_BLOCK_WORDS],
            input: [0; MAX_INPUTS],
            expected: [0; RESULT_WORDS],
            found: [0; RESULT_WORDS],
        }
    }

    /// Makes each of these layers, computes it by the definition and by `kernel`, and returns a hash
    /// of all results.
    ///
    /// # Errors
    ///
    /// The first word of all that the two may have written that differs.
    pub fn run(
        &mut self,
        numbers: Range<u32>,
        mut kernel: impl FnMut(&Trial<'_>, &[u32], &mut [u32]),
    ) -> Result<u32, Difference> {
        let mut hash = FNV_OFFSET;
        for number in numbers {
            hash = fnv(hash, self.run_one(number, &mut kernel)?);
        }
        Ok(hash)
    }

    /// One layer and a hash of its results.
    fn run_one(
        &mut self,
        number: u32,
        kernel: impl FnOnce(&Trial<'_>, &[u32], &mut [u32]),
    ) -> Result<u32, Difference> {
        let mut random = Random::new(number);
        let facts = Facts::new(number, &mut random);
        let block_words = self.fill_blocks(&facts, &mut random);
        let input_words = self.fill_input(&facts, &mut random);
        let trial = Trial {
            is_first: facts.is_first,
            blocks: &self.blocks[..block_words],
            inputs: facts.inputs,
            shift: facts.shift,
            exponent: facts.exponent,
            activation: facts.activation,
        };
        let padded = facts.outputs.next_multiple_of(4);
        let result_words = padded / facts.activation.map_or(1, |_| 2);
        let input = &self.input[..input_words];
        self.expected.fill(UNTOUCHED);
        self.found.fill(UNTOUCHED);
        trial.by_definition(input, &mut self.expected[..result_words]);
        kernel(&trial, input, &mut self.found[..result_words]);

        let mut words = self.expected.iter().zip(&self.found).enumerate();
        if let Some((output_word, (expected, found))) = words.find(|(_, (a, b))| a != b) {
            return Err(Difference {
                number,
                facts,
                output_word,
                expected: *expected,
                found: *found,
            });
        }
        let results = self.expected[..result_words].iter();
        Ok(results.fold(FNV_OFFSET, |hash, word| fnv(hash, *word)))
    }

    fn fill_blocks(&mut self, facts: &Facts, random: &mut Random) -> usize {
        let block_len = match facts.is_first {
            true => 4 + 2 * facts.inputs,
            false => 4 + facts.inputs.next_multiple_of(4) + 2,
        };
        let block_count = facts.outputs.div_ceil(4);
        let words = &mut self.blocks[..block_count * block_len];
        words.fill(0);
        for (block, words) in words.chunks_exact_mut(block_len).enumerate() {
            if !facts.is_first {
                // Weights of 0, those of the odd outputs with 128 added.
                words[4..block_len - 2].fill(0x0080_0080);
            }
            let outputs = facts.outputs - 4 * block;
            for row in 0..outputs.min(4) {
                match facts.is_first {
                    true => fill_first(words, row, facts, random),
                    false => fill_next(words, row, facts, random),
                }
            }
        }
        block_count * block_len
    }

    fn fill_input(&mut self, facts: &Facts, random: &mut Random) -> usize {
        let sign = random.sign();
        let mut value = |largest: i32| match facts.magnitude {
            Magnitude::Any | Magnitude::Small => random.up_to(largest),
            Magnitude::Extreme => largest * random.sign(),
            Magnitude::OneSided => largest * sign,
        };
        if facts.is_first {
            let words = &mut self.input[..facts.inputs];
            words.fill_with(|| value(1 << 26).cast_unsigned());
            return words.len();
        }
        let words = &mut self.input[..2 * facts.inputs.div_ceil(4)];
        for (k, word) in words.iter_mut().enumerate() {
            let mut half = |i: usize| match i < facts.inputs {
                // −32768 is the only one of its magnitude.
                true => value(1 << 15).min(32767) as u16,
                false => 0,
            };
            *word = u32::from(half(2 * k)) | u32::from(half(2 * k + 1)) << 16;
        }
        words.len()
    }
}

impl Facts {
    /// Every number of inputs with every activation and magnitude, others as it happens.
    fn new(number: u32, random: &mut Random) -> Self {
        let is_first = number.is_multiple_of(2);
        let activation = match number / 2 % 3 {
            0 => Some(Activation::Tanh),
            1 => Some(Activation::Elu),
            _ => None,
        };
        let magnitude = match number / 6 % 4 {
            0 => Magnitude::Any,
            1 => Magnitude::Small,
            2 => Magnitude::Extreme,
            _ => Magnitude::OneSided,
        };
        // A net that moves the only dimension reads nothing.
        let inputs = match (number as usize / 24, is_first) {
            (turn, true) => turn % (MAX_FIRST_INPUTS + 1),
            (turn, false) => 1 + turn % MAX_INPUTS,
        };
        let most_outputs = match inputs <= FEW_INPUTS {
            true => MAX_OUTPUTS,
            false => FEW_OUTPUTS,
        };
        Self {
            is_first,
            activation,
            magnitude,
            inputs,
            outputs: random.below(most_outputs as u32 + 1) as usize,
            shift: random.below(16),
            exponent: match activation {
                Some(Activation::Elu) => random.below(16),
                _ => 0,
            },
        }
    }

    /// What a sum may reach before its shift.
    fn most(&self) -> i64 {
        i64::from(i32::MAX) >> self.activation.map_or(0, |_| self.shift)
    }
}

/// One output of a first layer: its bias, and a weight of 16 bits for each input.
fn fill_first(words: &mut [u32], row: usize, facts: &Facts, random: &mut Random) {
    let sign = random.sign();
    let mut room = facts.most();
    for i in 0..facts.inputs {
        let largest = (room >> 10).min(32767) as i32;
        let w = match facts.magnitude {
            Magnitude::Any => random.up_to(largest / facts.inputs as i32),
            Magnitude::Small => random.up_to(largest.min(40)),
            Magnitude::Extreme => largest * random.sign(),
            Magnitude::OneSided => largest * sign,
        };
        room -= i64::from(w.unsigned_abs()) << 10;
        words[4 + 2 * i + row / 2] |= u32::from(w as u16) << (16 * (row % 2));
    }
    words[row] = bias(room, sign, facts, random);
}

/// One output of a later layer: its bias, a weight of 8 bits for each input, its multiplier.
fn fill_next(words: &mut [u32], row: usize, facts: &Facts, random: &mut Random) {
    let sign = random.sign();
    let mut room = i64::from(i32::MAX);
    for i in 0..facts.inputs {
        let w = match facts.magnitude {
            Magnitude::Any => random.up_to(127),
            Magnitude::Small => random.up_to(1),
            Magnitude::Extreme => 127 * random.sign(),
            Magnitude::OneSided => 127 * sign,
        };
        room -= i64::from(w.unsigned_abs()) << 15;
        // Words of two inputs for two outputs; of each halfword the even output's byte is second.
        let word = &mut words[4 + 4 * (i / 4) + 2 * (i % 4 / 2) + row / 2];
        let position = 16 * (i % 2) + 8 * (1 - row % 2);
        *word &= !(0xFF << position);
        *word |= u32::from(w as u8 ^ (row % 2 * 0x80) as u8) << position;
    }
    words[row] = bias(room, sign, facts, random);
    let sum = i64::from(i32::MAX) - room + i64::from(words[row].cast_signed().unsigned_abs());
    let largest = (((facts.most() << 16) - 1) / sum.max(1)).min(32767) as i32;
    let m = match facts.magnitude {
        Magnitude::Any | Magnitude::Small => random.up_to(largest).abs(),
        Magnitude::Extreme | Magnitude::OneSided => largest,
    };
    let at = words.len() - 2 + row / 2;
    words[at] |= m.cast_unsigned() << (16 * (row % 2));
}

/// A bias of magnitude `room` at most.
fn bias(room: i64, sign: i32, facts: &Facts, random: &mut Random) -> u32 {
    let bias = match facts.magnitude {
        Magnitude::Any | Magnitude::Small => random.up_to((room as i32).min(1 << 20)),
        Magnitude::Extreme => room as i32 * random.sign(),
        Magnitude::OneSided => room as i32 * sign,
    };
    bias.cast_unsigned()
}

/// A step of FNV-1a, over words.
fn fnv(hash: u32, word: u32) -> u32 {
    (hash ^ word).wrapping_mul(16_777_619)
}

/// SplitMix (Steele et al. 2014): any seed will do, and the firmware needs no other crate.
struct Random(u64);

impl Random {
    fn new(seed: u32) -> Self {
        Self(u64::from(seed) << 32)
    }

    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z >> 32) as u32
    }

    /// 0 to `n`, without it.
    fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.next()) * u64::from(n)) >> 32) as u32
    }

    /// `−largest` to `largest`.
    fn up_to(&mut self, largest: i32) -> i32 {
        self.below(2 * largest.cast_unsigned() + 1).cast_signed() - largest
    }

    fn sign(&mut self) -> i32 {
        1 - 2 * (self.next() & 1).cast_signed()
    }
}
