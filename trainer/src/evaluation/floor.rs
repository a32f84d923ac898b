//! What a figure is where the samples are as good as can be.

/// A figure of independent points of the data's own law, in the place of samples, drawn several times.
///
/// This is what a perfect model would reach. Two models whose figures differ by less than `std` cannot
/// be told apart by them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NoiseFloor {
    /// Mean of the draws' figures.
    pub mean: f64,
    /// Their standard deviation.
    pub std: f64,
}

impl NoiseFloor {
    pub(super) fn of(figures: &[f64]) -> Self {
        let count = figures.len() as f64;
        let mean = figures.iter().sum::<f64>() / count;
        let squares = figures.iter().map(|figure| (figure - mean).powi(2));
        let std = (squares.sum::<f64>() / (count - 1.0)).sqrt();
        Self { mean, std }
    }

    /// What a figure is held against as a ratio: the mean, or the root mean square where the mean is 0
    /// but for chance, as that of an unbiased estimate is.
    pub fn level(&self) -> f64 {
        if self.mean > self.std {
            self.mean
        } else {
            self.mean.hypot(self.std)
        }
    }
}

/// A figure of a model's samples beside its noise floor; more is worse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// The samples' figure.
    pub value: f64,
    /// What it is for the data's own law.
    pub floor: NoiseFloor,
}

impl Measured {
    /// How many times the [level](NoiseFloor::level) of the floor the figure is.
    pub fn ratio(&self) -> f64 {
        self.value / self.floor.level()
    }

    /// How many standard deviations of the floor the figure lies above it.
    pub fn deviations(&self) -> f64 {
        (self.value - self.floor.mean) / self.floor.std
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floor_is_mean_and_spread_of_the_figures() {
        let floor = NoiseFloor::of(&[1.0, 2.0, 6.0]);
        // Squares 4, 1 and 9 over two degrees of freedom.
        let expected = NoiseFloor {
            mean: 3.0,
            std: 7.0f64.sqrt(),
        };
        assert_eq!(floor, expected);
    }

    #[test]
    fn a_figure_is_told_as_ratio_and_in_deviations() {
        let floor = NoiseFloor {
            mean: 2.0,
            std: 0.5,
        };
        let measured = Measured { value: 3.0, floor };
        assert_eq!((measured.ratio(), measured.deviations()), (1.5, 2.0));
    }

    #[test]
    fn an_unbiased_figure_is_held_against_its_root_mean_square() {
        let floor = NoiseFloor {
            mean: -3.0,
            std: 4.0,
        };
        let measured = Measured { value: 10.0, floor };
        assert_eq!((measured.ratio(), measured.deviations()), (2.0, 3.25));
    }
}
