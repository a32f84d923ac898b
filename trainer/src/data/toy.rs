//! Toy sets whose exact density is known.

use std::f64::consts::{PI, TAU};
use std::sync::LazyLock;

use flowlet::StandardNormal;
use ndarray::Array2;
use rand::{Rng, RngExt, seq::SliceRandom};

use super::Dataset;

/// A two-dimensional law with a known density.
///
/// # Source
///
/// `moons` and `circles` are scikit-learn's `make_moons` and `make_circles`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToySet {
    /// Two interleaved half circles of radius 1, with noise of standard deviation 0.05.
    Moons,
    /// Two circles about the origin of radius 1 and 0.5, with noise of standard deviation 0.05.
    Circles,
    /// Eight normal modes of standard deviation 0.15 and equal weight on a circle of radius 2.
    Gaussians,
}

/// Nodes of the midpoint rule over a half circle: 0.0016 apart, a thirtieth of the noise.
const NODES: usize = 2000;

const MODES: usize = 8;
const MODE_RADIUS: f64 = 2.0;
const INNER_RADIUS: f64 = 0.5;

impl ToySet {
    /// All toy sets.
    pub const ALL: [Self; 3] = [Self::Moons, Self::Circles, Self::Gaussians];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Moons => "moons",
            Self::Circles => "circles",
            Self::Gaussians => "gaussians",
        }
    }

    /// The toy set of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.name() == name)
    }

    /// Draws `n` points in random order.
    ///
    /// The angles of `moons` and `circles` lie on scikit-learn's even grid, so that two draws
    /// differ less than independent points would.
    pub fn sample(self, n: usize, rng: &mut impl Rng) -> Dataset {
        let mut centres = match self {
            Self::Moons => two_curves(n, moon_angle, outer_moon, inner_moon),
            Self::Circles => two_curves(n, circle_angle, outer_circle, inner_circle),
            Self::Gaussians => (0..n).map(|_| mode(rng.random_range(0..MODES))).collect(),
        };
        centres.shuffle(rng);
        Dataset {
            name: self.name().into(),
            points: self.scatter(&centres, rng),
            context: Array2::zeros((n, 0)),
            labels: vec!["x".into(), "y".into()],
        }
    }

    /// Draws `n` independent points, `[n, 2]`, of the law that [`log_density`](Self::log_density) is
    /// the density of.
    pub fn sample_independent(self, n: usize, rng: &mut impl Rng) -> Array2<f32> {
        let all = self.centres();
        let centres: Vec<_> = (0..n)
            .map(|_| all[rng.random_range(0..all.len())])
            .collect();
        self.scatter(&centres, rng)
    }

    /// A point about each centre.
    fn scatter(self, centres: &[[f64; 2]], rng: &mut impl Rng) -> Array2<f32> {
        let mut noise = || self.std() * f64::from(StandardNormal.sample(rng));
        let numbers = centres.iter().flatten();
        let numbers = numbers.map(|centre| (centre + noise()) as f32).collect();
        Array2::from_shape_vec((centres.len(), 2), numbers).expect("two numbers a point")
    }

    /// The exact `ln p(point)`, in nats, with the angles of `moons` and `circles` uniform.
    ///
    /// A mixture of equal normals: eight modes, or the nodes of a midpoint rule along the curves,
    /// whose error is below 1e-3 nats up to five standard deviations from the curve.
    ///
    /// # Cost
    ///
    /// 4,000 exponentials, or 8 for `gaussians`.
    pub fn log_density(self, point: [f64; 2]) -> f64 {
        let variance = self.std() * self.std();
        let exponents = self
            .centres()
            .iter()
            .map(|centre| -squared_distance(point, *centre) / (2.0 * variance));
        log_mean_exp(exponents) - (TAU * variance).ln()
    }

    /// Standard deviation of the noise about a centre.
    pub(crate) fn std(self) -> f64 {
        match self {
            Self::Moons | Self::Circles => 0.05,
            Self::Gaussians => 0.15,
        }
    }

    /// The centres of the equal normals that make up the law.
    pub(crate) fn centres(self) -> &'static [[f64; 2]] {
        static MOONS: LazyLock<Vec<[f64; 2]>> =
            LazyLock::new(|| two_curves(2 * NODES, moon_node, outer_moon, inner_moon));
        static CIRCLES: LazyLock<Vec<[f64; 2]>> =
            LazyLock::new(|| two_curves(2 * NODES, circle_angle, outer_circle, inner_circle));
        static GAUSSIANS: LazyLock<Vec<[f64; 2]>> =
            LazyLock::new(|| (0..MODES).map(mode).collect());
        match self {
            Self::Moons => &MOONS,
            Self::Circles => &CIRCLES,
            Self::Gaussians => &GAUSSIANS,
        }
    }
}

/// `n` points: half of them, rounded down, on the first curve and the rest on the second.
/// `angle(i, count)` is the angle of point `i` of the `count` on a curve.
fn two_curves(
    n: usize,
    angle: fn(usize, usize) -> f64,
    first: fn(f64) -> [f64; 2],
    second: fn(f64) -> [f64; 2],
) -> Vec<[f64; 2]> {
    let along =
        |count: usize, curve: fn(f64) -> [f64; 2]| (0..count).map(move |i| curve(angle(i, count)));
    along(n / 2, first)
        .chain(along(n - n / 2, second))
        .collect()
}

/// Both ends of the half circle included, as scikit-learn has it.
fn moon_angle(i: usize, count: usize) -> f64 {
    PI * i as f64 / count.saturating_sub(1).max(1) as f64
}

/// A node of the midpoint rule.
fn moon_node(i: usize, count: usize) -> f64 {
    PI * (i as f64 + 0.5) / count as f64
}

/// On a full circle the even grid is also the best quadrature.
fn circle_angle(i: usize, count: usize) -> f64 {
    TAU * i as f64 / count as f64
}

fn outer_moon(angle: f64) -> [f64; 2] {
    [angle.cos(), angle.sin()]
}

fn inner_moon(angle: f64) -> [f64; 2] {
    [1.0 - angle.cos(), 0.5 - angle.sin()]
}

fn outer_circle(angle: f64) -> [f64; 2] {
    [angle.cos(), angle.sin()]
}

fn inner_circle(angle: f64) -> [f64; 2] {
    outer_circle(angle).map(|coordinate| INNER_RADIUS * coordinate)
}

fn mode(k: usize) -> [f64; 2] {
    outer_circle(circle_angle(k, MODES)).map(|coordinate| MODE_RADIUS * coordinate)
}

fn squared_distance(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)
}

/// `ln(mean(exp(values)))`, in range however small the values are.
fn log_mean_exp(values: impl ExactSizeIterator<Item = f64> + Clone) -> f64 {
    let count = values.len() as f64;
    let largest = values.clone().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = values.map(|value| (value - largest).exp()).sum();
    largest + (sum / count).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Axis;
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    fn draw(set: ToySet, n: usize) -> Array2<f64> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        set.sample(n, &mut rng).points.mapv(f64::from)
    }

    fn draw_independent(set: ToySet, n: usize) -> Array2<f64> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        set.sample_independent(n, &mut rng).mapv(f64::from)
    }

    #[test]
    fn every_name_leads_back_to_its_set() {
        for set in ToySet::ALL {
            assert_eq!(ToySet::from_name(set.name()), Some(set));
        }
        assert_eq!(ToySet::from_name("spirals"), None);
    }

    #[test]
    fn any_number_of_points_can_be_drawn() {
        for set in ToySet::ALL {
            for n in [0, 1, 2, 3, 101] {
                let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
                let data = set.sample(n, &mut rng);
                assert_eq!(data.points.dim(), (n, 2));
                assert_eq!(data.context.dim(), (n, 0));
                assert!(data.points.iter().all(|x| x.is_finite()));
            }
        }
    }

    #[test]
    fn one_seed_gives_one_draw() {
        assert_eq!(draw(ToySet::Moons, 50), draw(ToySet::Moons, 50));
    }

    #[test]
    fn the_order_is_random() {
        let points = draw(ToySet::Circles, 1000);
        let outer = points.rows().into_iter().take(500);
        let share = outer.filter(|point| point.dot(point) > 0.5).count();
        assert!(
            (200..300).contains(&share),
            "{share} of 500 on the outer circle"
        );
    }

    #[test]
    fn mean_and_variance_are_those_of_the_law() {
        /// Four standard errors of `gaussians`, whose modes are drawn at random; the others vary less.
        const TOLERANCE: f64 = 0.06;
        let laws = [
            (ToySet::Moons, [0.5, 0.25], [0.7525, 0.2452]),
            (ToySet::Circles, [0.0, 0.0], [0.3150, 0.3150]),
            (ToySet::Gaussians, [0.0, 0.0], [2.0225, 2.0225]),
        ];
        let both = |set| [draw(set, 10_000), draw_independent(set, 10_000)];
        let draws =
            laws.map(|(set, mean, variance)| both(set).map(|points| (set, points, mean, variance)));
        for (set, points, mean, variance) in draws.into_iter().flatten() {
            let found_mean = points.mean_axis(Axis(0)).unwrap();
            let found_variance = points.var_axis(Axis(0), 0.0);
            for i in 0..2 {
                let error = (found_mean[i] - mean[i]).abs();
                assert!(error < TOLERANCE, "{set:?}: mean {found_mean}");
                let error = (found_variance[i] - variance[i]).abs();
                assert!(error < TOLERANCE, "{set:?}: variance {found_variance}");
            }
        }
    }

    #[test]
    fn density_integrates_to_one() {
        /// Of a normal's integral, a grid of its standard deviation misses 2 exp(−2π²), 5e-9; the
        /// rest is the rim.
        const TOLERANCE: f64 = 1e-6;
        for set in ToySet::ALL {
            let step = set.std();
            let cells = (3.0 / step) as i32;
            let mut total = 0.0;
            for i in -cells..=cells {
                for j in -cells..=cells {
                    let point = [f64::from(i) * step, f64::from(j) * step];
                    total += set.log_density(point).exp() * step * step;
                }
            }
            assert!((total - 1.0).abs() < TOLERANCE, "{set:?}: {total}");
        }
    }

    #[test]
    fn moons_have_enough_nodes() {
        const TOLERANCE: f64 = 1e-3;
        let variance = 0.05 * 0.05;
        let fine = two_curves(40 * NODES, moon_node, outer_moon, inner_moon);
        for below in 0..6 {
            let point = [1.0, -0.05 * f64::from(below)];
            let exponents = fine
                .iter()
                .map(|centre| -squared_distance(point, *centre) / (2.0 * variance));
            let expected = log_mean_exp(exponents) - (TAU * variance).ln();
            let found = ToySet::Moons.log_density(point);
            assert!(
                (found - expected).abs() < TOLERANCE,
                "{found} for {expected}"
            );
        }
    }

    #[test]
    fn density_of_circles_is_the_closed_form_at_the_centre() {
        let variance = 0.05f64 * 0.05;
        let ring = |radius: f64| (-radius * radius / (2.0 * variance)).exp();
        let expected = ((ring(1.0) + ring(0.5)) / 2.0).ln() - (TAU * variance).ln();
        let found = ToySet::Circles.log_density([0.0, 0.0]);
        assert!((found - expected).abs() < 1e-9, "{found} for {expected}");
    }

    #[test]
    fn density_far_out_stays_finite() {
        for set in ToySet::ALL {
            let log_density = set.log_density([1e3, -1e3]);
            assert!(log_density.is_finite() && log_density < -1e6);
        }
    }

    #[test]
    fn entropy_is_the_one_known_from_elsewhere() {
        // From scikit-learn's draws and SciPy's functions, standardized by 10,000 points.
        let known = [1.1304, 1.7628, 0.4202];
        /// Four standard errors of 20,000 log-densities, which spread by 0.7 to 1 nat.
        const TOLERANCE: f64 = 0.025;
        for (set, known) in ToySet::ALL.into_iter().zip(known) {
            let points = draw(set, 20_000);
            let log_std: f64 = points.std_axis(Axis(0), 0.0).iter().map(|s| s.ln()).sum();
            let log_density =
                |point: ndarray::ArrayView1<f64>| set.log_density([point[0], point[1]]);
            let sum: f64 = points.rows().into_iter().map(log_density).sum();
            let entropy = -sum / points.nrows() as f64 - log_std;
            assert!((entropy - known).abs() < TOLERANCE, "{set:?}: {entropy}");
        }
    }
}
