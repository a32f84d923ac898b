//! The noise against the normal distribution, with so many draws that an error of one in ten thousand
//! shows.
//!
//! All draws have fixed seeds and fixed streams, so a figure is the same on every machine, whatever the
//! number of threads. A perfect generator would have one of the 15 figures beyond its bound with one of
//! some ten thousand seeds.

use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use flowlet::StandardNormal;
use flowlet_tests::normal_distribution::cdf;
use flowlet_tests::random_flow::{Generator, generator};

/// Streams of draws; a thread takes some of them, one after another.
const STREAMS: usize = 64;
const DRAWS_A_STREAM: usize = 1_562_500;
/// 100 million.
const N: f64 = (STREAMS * DRAWS_A_STREAM) as f64;

/// Standard errors that a figure may be off; a perfect generator exceeds 5 once in 1.7 million times.
const MOST_STANDARD_ERRORS: f64 = 5.0;

/// Classes of equal chance: so many draws fall in each that a class is known to 0.3 %.
const CLASSES: usize = 1000;

/// `E z, E z², E z³, E z⁴`, and the variances `E z^2k − (E z^k)²` of what they are means of.
const MOMENTS: [(&str, f64, f64); 4] = [
    ("mean", 0.0, 1.0),
    ("variance", 1.0, 2.0),
    ("third moment", 0.0, 15.0),
    ("fourth moment", 3.0, 96.0),
];

/// Where tails begin, in standard deviations.
const TAILS: [f32; 5] = [1.0, 2.0, 3.0, 4.0, 5.0];

fn main() -> ExitCode {
    let start = Instant::now();
    let edges = edges();
    let tally = tally(&edges);
    let figures = figures(&tally, &edges);
    let (millions, seconds) = (N / 1e6, start.elapsed().as_secs_f64());
    println!("{millions} million draws in {seconds:.1} s");
    println!();
    println!("| figure | found | expected | off by standard errors |");
    println!("|---|---|---|---|");
    figures.iter().for_each(Figure::print);
    let off = figures.iter().filter(|figure| !figure.holds()).count();
    if off == 0 {
        return ExitCode::SUCCESS;
    }
    eprintln!("error: {off} figures are more than {MOST_STANDARD_ERRORS} standard errors off");
    ExitCode::FAILURE
}

/// What is counted of the draws.
#[derive(Clone, Default)]
struct Tally {
    /// Sums of `z, z², z³, z⁴`.
    powers: [f64; 4],
    /// Draws below `−k` for each tail, and above `k`.
    tails: [[u64; 2]; TAILS.len()],
    /// Draws in each class.
    classes: Vec<u64>,
}

impl Tally {
    /// Of one stream.
    fn count(mut rng: Generator, edges: &[f32]) -> Self {
        let mut tally = Self {
            classes: vec![0; CLASSES],
            ..Self::default()
        };
        for _ in 0..DRAWS_A_STREAM {
            let z = StandardNormal.sample(&mut rng);
            let mut power = 1.0;
            for sum in &mut tally.powers {
                power *= f64::from(z);
                *sum += power;
            }
            for (counts, bound) in tally.tails.iter_mut().zip(TAILS) {
                counts[usize::from(z > 0.0)] += u64::from(z.abs() > bound);
            }
            tally.classes[edges.partition_point(|edge| *edge <= z)] += 1;
        }
        tally
    }

    fn add(mut self, other: &Self) -> Self {
        let tails = self.tails.iter_mut().flatten();
        let counts = tails.chain(&mut self.classes);
        let others = other.tails.iter().flatten().chain(&other.classes);
        counts.zip(others).for_each(|(a, b)| *a += b);
        let powers = self.powers.iter_mut().zip(other.powers);
        powers.for_each(|(a, b)| *a += b);
        self
    }
}

/// Counts all streams, on all threads.
fn tally(edges: &[f32]) -> Tally {
    let mut rng = generator(1);
    let streams: Vec<Generator> = (0..STREAMS)
        .map(|_| {
            let stream = rng.clone();
            rng.jump();
            stream
        })
        .collect();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut tallies = vec![Tally::default(); STREAMS];
    let share = STREAMS.div_ceil(threads);
    thread::scope(|scope| {
        for (streams, tallies) in streams.chunks(share).zip(tallies.chunks_mut(share)) {
            scope.spawn(move || {
                for (rng, tally) in streams.iter().zip(tallies) {
                    *tally = Tally::count(rng.clone(), edges);
                }
            });
        }
    });
    let none = Tally {
        classes: vec![0; CLASSES],
        ..Tally::default()
    };
    tallies.iter().fold(none, Tally::add)
}

/// The bounds between the classes: quantiles of the normal distribution, rounded to `f32`.
fn edges() -> Vec<f32> {
    (1..CLASSES)
        .map(|class| {
            let chance = class as f64 / CLASSES as f64;
            let (mut low, mut high) = (-10.0, 10.0);
            while (high - low) as f32 > f32::EPSILON {
                let middle = 0.5 * (low + high);
                if cdf(middle) < chance {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            low as f32
        })
        .collect()
}

/// A figure of the draws beside that of the distribution.
struct Figure {
    name: String,
    found: f64,
    expected: f64,
    standard_error: f64,
}

impl Figure {
    fn off(&self) -> f64 {
        (self.found - self.expected) / self.standard_error
    }

    /// False also where a figure is no number.
    fn holds(&self) -> bool {
        self.off().abs() <= MOST_STANDARD_ERRORS
    }

    fn print(&self) {
        let text = |value: f64| match value.abs() {
            size if size > 0.0 && size < 0.1 => format!("{value:.3e}"),
            size if size < 100.0 => format!("{value:.5}"),
            _ => format!("{value:.1}"),
        };
        let (found, expected) = (text(self.found), text(self.expected));
        println!(
            "| {} | {found} | {expected} | {:+.2} |",
            self.name,
            self.off()
        );
    }
}

fn figures(tally: &Tally, edges: &[f32]) -> Vec<Figure> {
    let moments = MOMENTS.iter().zip(tally.powers);
    let moments = moments.map(|((name, expected, variance), sum)| Figure {
        name: (*name).into(),
        found: sum / N,
        expected: *expected,
        standard_error: (variance / N).sqrt(),
    });
    let tails = TAILS.iter().zip(tally.tails).flat_map(|(bound, counts)| {
        let chance = cdf(f64::from(-bound));
        let names = [
            format!("chance below −{bound}"),
            format!("chance above {bound}"),
        ];
        let figure = move |(name, count)| Figure {
            name,
            found: count as f64 / N,
            expected: chance,
            standard_error: (chance * (1.0 - chance) / N).sqrt(),
        };
        names.into_iter().zip(counts).map(figure)
    });
    moments
        .chain(tails)
        .chain([chi_square(tally, edges)])
        .collect()
}

/// Chi-square has the mean `CLASSES − 1` and twice that as its variance, and is nearly normal.
fn chi_square(tally: &Tally, edges: &[f32]) -> Figure {
    let below = edges.iter().map(|edge| cdf(f64::from(*edge)));
    let bounds: Vec<f64> = [0.0].into_iter().chain(below).chain([1.0]).collect();
    let terms = bounds.windows(2).zip(&tally.classes).map(|(ends, count)| {
        let expected = N * (ends[1] - ends[0]);
        (*count as f64 - expected).powi(2) / expected
    });
    let freedom = (CLASSES - 1) as f64;
    Figure {
        name: format!("chi-square, {CLASSES} classes"),
        found: terms.sum(),
        expected: freedom,
        standard_error: (2.0 * freedom).sqrt(),
    }
}
