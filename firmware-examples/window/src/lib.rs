#![no_std]
#![deny(missing_docs)]
#![deny(unsafe_code)]
//! Features of sliding windows over a sensor's samples, with the same bits on every target.
//!
//! Of each channel, such as the three axes of an accelerometer and those of a gyroscope, a window gives
//! the logarithm of its standard deviation: how much the sensor moves, whichever way up it is worn. A
//! board forms its features by this crate, and so does whoever checks them.

#[cfg(test)]
extern crate std;

/// Samples of a window.
pub const LENGTH: usize = 20;

/// Samples from the end of a window to the end of the next.
pub const STRIDE: usize = 2;

/// What is added to a standard deviation, so that a sensor at rest has a logarithm too.
pub const OFFSET: f32 = 0.01;

/// Gathers samples to windows, the last [`LENGTH`] of them every [`STRIDE`] samples.
///
/// The feature of a channel with the samples x₁ … xₙ is ln(√(Σ (xᵢ − x̄)² / n) + [`OFFSET`]). Sums are
/// taken from the oldest sample to the newest, in `f32`.
///
/// # Shapes
///
/// A sample has `CHANNELS` numbers, and so has a window's feature.
///
/// # Cost
///
/// 80 bytes of RAM a channel; 60 additions, 20 multiplications, 2 divisions, a square root and a logarithm a
/// channel and window.
///
/// ```
/// use flowlet_window::{LENGTH, Windows};
///
/// let mut windows = Windows::<1>::new();
/// let ends = (0..LENGTH + 3).filter(|i| windows.push(&[*i as f32]).is_some());
/// assert_eq!(ends.collect::<Vec<_>>(), [19, 21]);
/// ```
#[derive(Clone, Debug)]
pub struct Windows<const CHANNELS: usize> {
    /// The last samples, the oldest at `next`.
    samples: [[f32; CHANNELS]; LENGTH],
    next: usize,
    /// Samples to come before a window ends.
    missing: usize,
}

impl<const CHANNELS: usize> Windows<CHANNELS> {
    /// Windows of a recording that begins.
    pub const fn new() -> Self {
        Self {
            samples: [[0.0; CHANNELS]; LENGTH],
            next: 0,
            missing: LENGTH,
        }
    }

    /// Begins another recording: no window reaches back over here.
    pub const fn restart(&mut self) {
        self.missing = LENGTH;
    }

    /// Takes in a sample, and gives the features of the window that ends with it, if one does.
    pub fn push(&mut self, sample: &[f32; CHANNELS]) -> Option<[f32; CHANNELS]> {
        if let Some(oldest) = self.samples.get_mut(self.next) {
            *oldest = *sample;
        }
        self.next = (self.next + 1) % LENGTH;
        self.missing -= 1;
        if self.missing > 0 {
            return None;
        }
        self.missing = STRIDE;
        Some(self.features())
    }

    fn features(&self) -> [f32; CHANNELS] {
        let (newest, oldest) = self.samples.split_at_checked(self.next).unwrap_or_default();
        let in_order = || oldest.iter().chain(newest);
        let mut means = [0.0; CHANNELS];
        in_order().for_each(|sample| add(&mut means, sample));
        means.iter_mut().for_each(|mean| *mean /= LENGTH as f32);
        let mut squares = [0.0; CHANNELS];
        for sample in in_order() {
            for ((square, x), mean) in squares.iter_mut().zip(sample).zip(&means) {
                *square += (x - mean) * (x - mean);
            }
        }
        squares.map(|square| libm::logf(libm::sqrtf(square / LENGTH as f32) + OFFSET))
    }
}

impl<const CHANNELS: usize> Default for Windows<CHANNELS> {
    fn default() -> Self {
        Self::new()
    }
}

fn add<const CHANNELS: usize>(sums: &mut [f32; CHANNELS], sample: &[f32; CHANNELS]) {
    for (sum, x) in sums.iter_mut().zip(sample) {
        *sum += x;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// Samples without a pattern that a window could share with another.
    fn sample(i: usize) -> [f32; 2] {
        [(i * i % 37) as f32 - 18.0, 0.25 * (i % 11) as f32]
    }

    fn exact(samples: &[[f32; 2]], channel: usize) -> f64 {
        let column = || samples.iter().map(|x| f64::from(x[channel]));
        let n = samples.len() as f64;
        let mean = column().sum::<f64>() / n;
        let variance = column().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        (variance.sqrt() + f64::from(OFFSET)).ln()
    }

    #[test]
    fn a_window_is_the_formula_over_the_last_samples() {
        // Forty roundings of numbers around 1.
        const TOLERANCE: f64 = 5e-6;
        let samples: Vec<_> = (0..71).map(sample).collect();
        let mut windows = Windows::new();
        let mut count = 0;
        for (i, sample) in samples.iter().enumerate() {
            let Some(features) = windows.push(sample) else {
                continue;
            };
            count += 1;
            for (channel, found) in features.into_iter().enumerate() {
                let expected = exact(&samples[i + 1 - LENGTH..=i], channel);
                assert!((f64::from(found) - expected).abs() < TOLERANCE, "{found}");
            }
        }
        assert_eq!(count, (71 - LENGTH) / STRIDE + 1);
    }

    #[test]
    fn no_window_reaches_over_a_restart() {
        let mut windows = Windows::new();
        for i in 0..33 {
            windows.push(&sample(i));
        }
        windows.restart();
        let mut fresh = Windows::new();
        for i in 100..141 {
            assert_eq!(windows.push(&sample(i)), fresh.push(&sample(i)), "{i}");
        }
    }

    #[test]
    fn a_sensor_at_rest_has_the_least_of_all_features() {
        let mut windows = Windows::new();
        let features = (0..LENGTH).find_map(|_| windows.push(&[3.5]));
        assert_eq!(features, Some([libm::logf(OFFSET)]));
    }
}
