//! Samples of a model whose sizes the program learns when it runs.

use core::num::NonZeroU16;

use flowlet::format::MAX_DIM;
use flowlet::{Error, Flow, MAX_SCRATCH_LEN, Model, Scratch, StandardNormal};
use flowlet_protocol::{Draw, Spent};
use rand_core::Rng;

use crate::Board;

/// Draws the points that are asked for, and counts what that takes; with `LEN` words of scratch.
#[derive(Debug)]
pub struct Draws<'m, const LEN: usize = MAX_SCRATCH_LEN> {
    flow: Flow<'m>,
    dim: usize,
    context: &'m [f32],
    step_count: Option<NonZeroU16>,
    scratch: Scratch<LEN>,
    x: [f32; MAX_DIM],
    /// Of samples, and of log-probabilities.
    spent: [Tally; 2],
}

/// What was counted, as long as all was.
#[derive(Clone, Copy, Debug, Default)]
enum Tally {
    #[default]
    Nothing,
    Some(Spent),
    Lost,
}

impl<'m> Draws<'m> {
    /// Draws of `model`, with scratch for any.
    ///
    /// # Errors
    ///
    /// [`Error::Context`] where the model takes another number of context numbers.
    pub fn new(model: &'m Model<'_>, draw: &'m Draw) -> Result<Self, Error> {
        Self::with_scratch(model, draw)
    }
}

impl<'m, const LEN: usize> Draws<'m, LEN> {
    /// Draws of `model`.
    ///
    /// # Errors
    ///
    /// [`Error::Scratch`] where the model needs more, [`Error::Context`] where it takes another number
    /// of context numbers.
    pub fn with_scratch(model: &'m Model<'_>, draw: &'m Draw) -> Result<Self, Error> {
        let (expected, found) = (model.scratch_len(), LEN);
        if expected > found {
            return Err(Error::Scratch { expected, found });
        }
        let (expected, found) = (model.context_dim(), draw.context.len());
        if expected != found {
            return Err(Error::Context { expected, found });
        }
        Ok(Self {
            flow: model.flow(),
            dim: model.dim(),
            context: &draw.context,
            step_count: draw.step_count,
            scratch: Scratch::new(),
            x: [0.0; MAX_DIM],
            spent: [Tally::Nothing; 2],
        })
    }

    /// The next point.
    ///
    /// # Errors
    ///
    /// None once the sizes are checked.
    pub fn sample<B: Board>(&mut self, board: &mut B, rng: &mut impl Rng) -> Result<&[f32], Error> {
        let (drawn, spent) = board.count(|| self.draw(rng));
        self.spent[0].add(spent);
        drawn?;
        Ok(self.point())
    }

    /// The log-probability of the last point, where the model has them.
    ///
    /// # Errors
    ///
    /// None once the sizes are checked.
    pub fn log_prob<B: Board>(&mut self, board: &mut B) -> Result<Option<f32>, Error> {
        let Flow::RealNvp(flow) = self.flow else {
            return Ok(None);
        };
        let x = self.x.get(..self.dim).unwrap_or_default();
        let (log_prob, spent) = board.count(|| flow.log_prob(x, self.context, &mut self.scratch));
        self.spent[1].add(spent);
        log_prob.map(Some)
    }

    /// What all samples took, and all log-probabilities; none where there were none, or the board
    /// could not count all.
    pub fn spent(&self) -> [Option<Spent>; 2] {
        self.spent.map(|tally| match tally {
            Tally::Some(spent) => Some(spent),
            Tally::Nothing | Tally::Lost => None,
        })
    }

    /// What samples and log-probabilities took together.
    pub fn spent_in_all(&self) -> Option<Spent> {
        match (self.spent(), self.flow) {
            ([sample, _], Flow::VelocityField(_)) => sample,
            ([sample, log_prob], Flow::RealNvp(_)) => sample?.plus(log_prob?),
        }
    }

    fn draw(&mut self, rng: &mut impl Rng) -> Result<(), Error> {
        let x = self.x.get_mut(..self.dim).unwrap_or_default();
        x.iter_mut().for_each(|x| *x = StandardNormal.sample(rng));
        match self.flow {
            Flow::RealNvp(flow) => flow.inverse(x, self.context, &mut self.scratch),
            Flow::VelocityField(field) => {
                let step_count = self.step_count.unwrap_or(field.step_count());
                field.euler(x, step_count, self.context, &mut self.scratch)
            }
        }
    }

    fn point(&self) -> &[f32] {
        self.x.get(..self.dim).unwrap_or_default()
    }
}

impl Tally {
    fn add(&mut self, spent: Option<Spent>) {
        *self = match (*self, spent) {
            (Self::Nothing, Some(spent)) => Self::Some(spent),
            (Self::Some(sum), Some(spent)) => sum.plus(spent).map_or(Self::Lost, Self::Some),
            _ => Self::Lost,
        };
    }
}

/// FNV-1a with 64 bits, a word at a time.
#[derive(Clone, Copy, Debug)]
pub struct Digest(u64);

impl Digest {
    /// That of nothing.
    pub const fn new() -> Self {
        Self(0xCBF2_9CE4_8422_2325)
    }

    /// Takes in the bits of a number.
    pub fn add(&mut self, number: f32) {
        self.0 ^= u64::from(number.to_bits());
        self.0 = self.0.wrapping_mul(0x0000_0100_0000_01B3);
    }

    /// That of all numbers so far.
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}
