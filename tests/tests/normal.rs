//! The noise against the normal distribution.
//!
//! All draws have fixed seeds, so a test here passes always or never. Its bounds are such that a
//! perfect generator would pass with all but one in some ten thousand seeds.

use flowlet::StandardNormal;
use flowlet_tests::normal_distribution::cdf;
use flowlet_tests::random_flow::generator;

/// Draws for moments, Kolmogorov-Smirnov and chi-square.
const N: usize = 1_000_000;

/// Draws for the tails: 14 a side beyond 5 standard deviations are expected, 7000 beyond the place where
/// the ziggurat's tail begins.
const TAIL_N: usize = 50_000_000;

/// Standard errors that an estimate may be off; a perfect generator exceeds 4 once in 16,000 times.
const STANDARD_ERRORS: f64 = 4.0;

/// The bound on `√N` times the largest distance of the two distribution functions that a perfect
/// generator exceeds once in 10,000 times: `√(ln(2 · 10,000) / 2)`, from the first term of
/// Kolmogorov's series.
const KOLMOGOROV: f64 = 2.2252;

/// Classes of equal chance.
const CLASSES: usize = 1000;

fn draws(n: usize, seed: u64) -> impl Iterator<Item = f64> {
    let mut rng = generator(seed);
    (0..n).map(move |_| StandardNormal.sample(&mut rng).into())
}

/// The mean of a function of the draws.
fn mean(function: impl Fn(f64) -> f64) -> f64 {
    draws(N, 1).map(function).sum::<f64>() / N as f64
}

fn assert_within(what: &str, found: f64, expected: f64, standard_error: f64) {
    let off = (found - expected) / standard_error;
    assert!(
        off.abs() < STANDARD_ERRORS,
        "{what} is {found}, {off:.1} standard errors from {expected}"
    );
}

/// The variance of `z^k` is `E z^2k − (E z^k)²`, with `E z², z⁴, z⁶, z⁸ = 1, 3, 15, 105`.
#[test]
fn moments_are_those_of_the_normal_distribution() {
    let n = N as f64;
    assert_within("mean", mean(|z| z), 0.0, (1.0 / n).sqrt());
    assert_within("variance", mean(|z| z.powi(2)), 1.0, (2.0 / n).sqrt());
    assert_within("third moment", mean(|z| z.powi(3)), 0.0, (15.0 / n).sqrt());
    assert_within("fourth moment", mean(|z| z.powi(4)), 3.0, (96.0 / n).sqrt());
}

/// The standard errors are those of the two estimates where the distribution is normal.
#[test]
fn skewness_and_excess_kurtosis_are_zero() {
    let center = mean(|z| z);
    let central = |k| mean(|z| (z - center).powi(k));
    let variance = central(2);
    let n = N as f64;
    let skewness = central(3) / variance.powf(1.5);
    assert_within("skewness", skewness, 0.0, (6.0 / n).sqrt());
    let excess = central(4) / variance.powi(2) - 3.0;
    assert_within("excess kurtosis", excess, 0.0, (24.0 / n).sqrt());
}

#[test]
fn distribution_function_is_the_normal_one() {
    let mut sorted: Vec<f64> = draws(N, 2).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = N as f64;
    let distance = sorted.iter().enumerate().map(|(i, &z)| {
        let chance = cdf(z);
        (chance - i as f64 / n).max((i + 1) as f64 / n - chance)
    });
    let largest = distance.fold(0.0, f64::max) * n.sqrt();
    assert!(largest < KOLMOGOROV, "Kolmogorov's statistic is {largest}");
}

/// Chi-square has the mean `CLASSES − 1` and twice that as its variance, and is nearly normal.
#[test]
fn classes_of_equal_chance_are_equally_full() {
    let mut counts = vec![0.0; CLASSES];
    for z in draws(N, 3) {
        let class = (cdf(z) * CLASSES as f64) as usize;
        counts[class.min(CLASSES - 1)] += 1.0;
    }
    let expected = (N / CLASSES) as f64;
    let chi_square: f64 = counts
        .iter()
        .map(|count| (count - expected).powi(2) / expected)
        .sum();
    let freedom = (CLASSES - 1) as f64;
    assert_within("chi-square", chi_square, freedom, (2.0 * freedom).sqrt());
}

/// Also of their squares and signs: the layer of the ziggurat and the place in it share a word, and
/// one word follows the other.
#[test]
fn successive_draws_are_uncorrelated() {
    type Function = fn(f64) -> f64;
    let functions: [(&str, Function); 3] = [
        ("values", |z| z),
        ("squares", |z| (z * z - 1.0) / 2.0f64.sqrt()),
        ("signs", f64::signum),
    ];
    for (what, function) in functions {
        for lag in [1, 2] {
            let pairs = draws(N + lag, 4).zip(draws(N + lag, 4).skip(lag));
            let products = pairs.map(|(a, b)| function(a) * function(b));
            let correlation = products.sum::<f64>() / N as f64;
            let what = format!("correlation of {what} {lag} apart");
            assert_within(&what, correlation, 0.0, (1.0 / N as f64).sqrt());
        }
    }
}

/// Counts of rare events are Poisson's: their variance is their mean.
#[test]
fn tails_are_as_full_as_they_should_be_and_reach_beyond_5() {
    let bounds = [3.0, 3.4426, 3.5, 4.0, 4.5, 5.0];
    let mut counts = [[0u32; 2]; 6];
    for z in draws(TAIL_N, 5).filter(|z| z.abs() > bounds[0]) {
        for (bound, counts) in bounds.iter().zip(&mut counts) {
            counts[usize::from(z > 0.0)] += u32::from(z.abs() > *bound);
        }
    }
    for (bound, counts) in bounds.iter().zip(counts) {
        let expected = TAIL_N as f64 * cdf(-bound);
        for (side, count) in ["below −", "above "].into_iter().zip(counts) {
            let what = format!("the count {side}{bound}");
            assert_within(&what, count.into(), expected, expected.sqrt());
            assert!(count > 0, "no value {side}{bound}");
        }
    }
}

/// Each value takes the same words as it always did, and makes the same bits of them.
#[test]
fn one_seed_gives_the_same_bits_for_ever() {
    let mut rng = generator(7);
    let values: Vec<f32> = (0..100_000)
        .map(|_| StandardNormal.sample(&mut rng))
        .collect();
    let first = [0.275_204_48, 0.111_988_924, 0.920_124_1, -0.141_673_07];
    assert_eq!(values[..4], first);
    let hash = fnv(values.into_iter().flat_map(f32::to_le_bytes));
    assert_eq!(hash, 0x490F_9A67_777E_427F, "{hash:#018X}");
}

/// FNV-1a, 64 bits.
fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}
