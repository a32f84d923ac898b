//! Points that models are held against, and all that is known of them beforehand.

use std::num::NonZeroU16;

use flowlet::{Kind, Model};
use ndarray::{Array2, ArrayView2, Axis, s};
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::floor::{Measured, NoiseFloor};
use super::{Evaluation, ModeFigures, Samples, Space, exact_nll, row_nlls};
use crate::Error;
use crate::data::toy::ToySet;
use crate::data::{Dataset, evenly};
use crate::inference::{noise, transport};
use crate::metrics::{EnergyDistance, Mmd, Modes, RowSpread, SlicedW2, modes, two_sample_accuracy};

/// Draws, or partings into halves, that a noise floor is taken over.
pub const FLOOR_DRAWS: usize = 8;

/// Rows of a table that samples are compared with; more would cost time without telling more.
pub const MOST_ROWS: usize = 4_000;

/// Points of a set that the MMD and the two-sample test see, its first ones: they take the most time, and
/// tell as much by these.
pub const MOST_PAIRED: usize = 5_000;

/// With fewer rows there are no halves to compare.
const LEAST_ROWS: usize = 20;

/// Points that models are held against, with the noise floors of all figures.
///
/// All that is the same for each model is computed once, here, so that many models, or one with many
/// step counts, can be evaluated at little cost.
#[derive(Debug)]
pub struct Reference {
    pub(super) data: Dataset,
    pub(super) space: Space,
    exact_nll: Option<f64>,
    /// What the samples are given, one row each.
    contexts: Array2<f32>,
    /// Which samples, by their rows, are compared with which target.
    targets: Vec<(Vec<usize>, Target)>,
    floors: Option<Floors>,
    mode_floors: Option<[NoiseFloor; 2]>,
    seed: u64,
}

/// Noise floors of the figures that are computed of samples.
#[derive(Clone, Copy, Debug)]
struct Floors {
    sliced_w2: NoiseFloor,
    energy_distance: NoiseFloor,
    squared_mmd: NoiseFloor,
    two_sample_accuracy: NoiseFloor,
}

/// What the samples are compared with, prepared for each metric.
#[derive(Debug)]
struct Target {
    points: Array2<f32>,
    sliced_w2: SlicedW2,
    energy_distance: EnergyDistance,
    mmd: Mmd,
}

/// Sliced W2, energy distance, squared MMD and two-sample accuracy, in this order.
type Distances = [f64; 4];

impl Target {
    fn new(points: Array2<f32>) -> Self {
        Self {
            sliced_w2: SlicedW2::to(points.view()),
            energy_distance: EnergyDistance::to(points.view()),
            mmd: Mmd::to(paired(points.view())),
            points,
        }
    }

    fn distances(&self, samples: ArrayView2<f32>) -> Distances {
        [
            self.sliced_w2.of(samples),
            self.energy_distance.of(samples),
            self.mmd.squared(paired(samples)),
            two_sample_accuracy(paired(samples), paired(self.points.view())),
        ]
    }
}

fn paired(points: ArrayView2<'_, f32>) -> ArrayView2<'_, f32> {
    let count = points.nrows().min(MOST_PAIRED);
    points.slice_move(s![..count, ..])
}

impl Floors {
    fn of(draws: &[Distances]) -> Self {
        let floor = |metric: usize| {
            let figures: Vec<f64> = draws.iter().map(|distances| distances[metric]).collect();
            NoiseFloor::of(&figures)
        };
        Self {
            sliced_w2: floor(0),
            energy_distance: floor(1),
            squared_mmd: floor(2),
            two_sample_accuracy: floor(3),
        }
    }

    fn beside(self, [sliced_w2, energy_distance, squared_mmd, accuracy]: Distances) -> Samples {
        let measured = |value, floor| Measured { value, floor };
        Samples {
            sliced_w2: measured(sliced_w2, self.sliced_w2),
            energy_distance: measured(energy_distance, self.energy_distance),
            squared_mmd: measured(squared_mmd, self.squared_mmd),
            two_sample_accuracy: measured(accuracy, self.two_sample_accuracy),
        }
    }
}

impl Reference {
    /// `count` fresh points of a toy set, standardized as `model` has it.
    ///
    /// The samples are compared with all of them; the noise floor is the figure of as many independent
    /// points of the law itself, of [`FLOOR_DRAWS`] draws.
    pub fn of_toy_set(set: ToySet, count: usize, model: &Model<'_>, seed: u64) -> Self {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let data = set.sample(count, &mut rng);
        let space = Space::of(model);
        let target = Target::new(space.standardize(&data.points));
        let draws: Vec<_> = (0..FLOOR_DRAWS)
            .map(|_| set.sample_independent(count, &mut rng))
            .collect();
        let distances = |draw: &Array2<f32>| target.distances(space.standardize(draw).view());
        let floors = Floors::of(&draws.iter().map(distances).collect::<Vec<_>>());
        let mode_floors = (set == ToySet::Gaussians).then(|| mode_floors(&draws));
        Self {
            exact_nll: Some(exact_nll(set, &data.points) - space.log_std()),
            targets: vec![((0..count).collect(), target)],
            floors: Some(floors),
            mode_floors,
            contexts: data.context.clone(),
            data,
            space,
            seed,
        }
    }

    /// The rows of a table, standardized as `model` has it.
    ///
    /// All rows count for the negative log-likelihood, and at most [`MOST_ROWS`] of them, from all over the
    /// table, for what is computed of samples. These rows are parted into halves at random, and the
    /// samples for one half are compared with the other; the noise floor is the figure of the one half
    /// itself. All are means over [`FLOOR_DRAWS`] partings. With fewer than 20 rows there is nothing to
    /// compare. Rows that are alike since they are neighbours, as overlapping windows are, make the
    /// floor lower than that of independent rows.
    pub fn of_table(data: Dataset, model: &Model<'_>, seed: u64) -> Self {
        let space = Space::of(model);
        let rows = evenly(data.points.nrows(), MOST_ROWS);
        let standardized = space.standardize(&data.points.select(Axis(0), &rows));
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let halves = |_| {
            let (one, other) = halves(rows.len(), &mut rng);
            (one, Target::new(standardized.select(Axis(0), &other)))
        };
        let partings = if rows.len() < LEAST_ROWS {
            0
        } else {
            FLOOR_DRAWS
        };
        let targets: Vec<_> = (0..partings).map(halves).collect();
        let distances = distances(&targets, &standardized);
        Self {
            floors: (partings > 0).then(|| Floors::of(&distances)),
            exact_nll: None,
            mode_floors: None,
            contexts: data.context.select(Axis(0), &rows),
            targets,
            data,
            space,
            seed,
        }
    }

    /// The points, in the data's units.
    pub fn data(&self) -> &Dataset {
        &self.data
    }

    /// Points in each set of samples that is compared, and in what they are compared with.
    pub fn compared(&self) -> usize {
        self.targets.first().map_or(0, |(samples, _)| samples.len())
    }

    /// The space in which all figures are computed.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// Mean of `−ln p(x)` by the exact density, in standardized nats, where it is known.
    pub fn exact_nll(&self) -> Option<f64> {
        self.exact_nll
    }

    /// Holds a model against the points; each sample has the context of one of them.
    ///
    /// `step_count` is for flow matching, where it replaces the model's own. The same model and seed give
    /// the same samples.
    ///
    /// # Errors
    ///
    /// [`Error::Runtime`] where the points or contexts are not the model's.
    pub fn evaluate(
        &self,
        model: &Model<'_>,
        step_count: Option<NonZeroU16>,
    ) -> Result<Evaluation, Error> {
        let noise = noise(self.contexts.nrows(), model.dim(), self.seed);
        let samples = transport(model, &noise, &self.contexts, step_count)?;
        let distances = distances(&self.targets, &self.space.standardize(&samples));
        let nll = match model.kind() {
            Kind::RealNvp { .. } => {
                let nlls = row_nlls(model, &self.data, &self.space)?;
                Some(RowSpread::of(&nlls))
            }
            Kind::FlowMatching { .. } => None,
        };
        Ok(Evaluation {
            nll,
            exact_nll: self.exact_nll,
            distances: self.floors.map(|floors| floors.beside(mean(&distances))),
            modes: self
                .mode_floors
                .map(|floors| beside(modes(samples.view()), floors)),
            samples,
        })
    }
}

/// Of the rows that each target has for samples.
fn distances(targets: &[(Vec<usize>, Target)], points: &Array2<f32>) -> Vec<Distances> {
    let distances = |(rows, target): &(Vec<usize>, Target)| {
        target.distances(points.select(Axis(0), rows).view())
    };
    targets.iter().map(distances).collect()
}

fn mean(all: &[Distances]) -> Distances {
    let mean = |metric: usize| {
        let sum: f64 = all.iter().map(|distances| distances[metric]).sum();
        sum / all.len() as f64
    };
    std::array::from_fn(mean)
}

fn mode_floors(draws: &[Array2<f32>]) -> [NoiseFloor; 2] {
    let draws: Vec<Modes> = draws.iter().map(|draw| modes(draw.view())).collect();
    let floor =
        |figure: fn(&Modes) -> f64| NoiseFloor::of(&draws.iter().map(figure).collect::<Vec<_>>());
    [
        floor(|modes| modes.between),
        floor(|modes| modes.weight_deviation),
    ]
}

fn beside(modes: Modes, [between, weight_deviation]: [NoiseFloor; 2]) -> ModeFigures {
    ModeFigures {
        between: Measured {
            value: modes.between,
            floor: between,
        },
        weight_deviation: Measured {
            value: modes.weight_deviation,
            floor: weight_deviation,
        },
    }
}

/// Two halves of `count` rows, at random and equally large; of an odd number one row is in neither.
fn halves(count: usize, rng: &mut impl Rng) -> (Vec<usize>, Vec<usize>) {
    let mut rows: Vec<usize> = (0..count).collect();
    rows.shuffle(rng);
    let half = count / 2;
    (rows[..half].to_vec(), rows[half..2 * half].to_vec())
}
