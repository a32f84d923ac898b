//! How much of a mean over rows is due to a few of them.

/// A mean of `−ln p` over rows, and how many rows carry it.
///
/// A mean says little where a few far rows make it up; the median does not see them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowSpread {
    /// Rows in all.
    pub rows: usize,
    /// Their mean.
    pub mean: f64,
    /// Their median; of an even number, the mean of the middle two.
    pub median: f64,
    /// The fewest rows that make up half of the excess of all rows that lie above the median.
    ///
    /// Of a normal distribution's rows it is one in eight; a few rows of very many are outliers that the
    /// mean depends on.
    pub carriers: usize,
    /// The mean of the rows but those.
    pub mean_without_carriers: f64,
}

impl RowSpread {
    /// Of the values of all rows.
    ///
    /// All is `NaN`, and `carriers` 0, where there are none or one is not finite.
    pub fn of(values: &[f64]) -> Self {
        let rows = values.len();
        let sum: f64 = values.iter().sum();
        if rows == 0 || !values.iter().all(|value| value.is_finite()) {
            return Self {
                rows,
                mean: sum / rows as f64,
                median: f64::NAN,
                carriers: 0,
                mean_without_carriers: f64::NAN,
            };
        }
        let mut descending = values.to_vec();
        descending.sort_unstable_by(|a, b| b.total_cmp(a));
        let median = (descending[(rows - 1) / 2] + descending[rows / 2]) / 2.0;
        let carriers = carriers(&descending, median);
        let rest = &descending[carriers..];
        Self {
            rows,
            mean: sum / rows as f64,
            median,
            carriers,
            mean_without_carriers: rest.iter().sum::<f64>() / rest.len() as f64,
        }
    }
}

/// The fewest values that make up half of what lies above the median.
fn carriers(descending: &[f64], median: f64) -> usize {
    let excesses = || {
        let above = descending.iter().take_while(|value| **value > median);
        above.map(|value| value - median)
    };
    let half = excesses().sum::<f64>() / 2.0;
    let mut sum = 0.0;
    let few = excesses().take_while(|excess| {
        let carries = sum < half;
        sum += excess;
        carries
    });
    few.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_may_carry_all() {
        let mut values = vec![1.0; 99];
        values.push(101.0);
        let found = RowSpread::of(&values);
        let expected = RowSpread {
            rows: 100,
            mean: 2.0,
            median: 1.0,
            carriers: 1,
            mean_without_carriers: 1.0,
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn carriers_are_the_fewest_that_make_up_half() {
        // Above the median 3: 1, 2, 3 and 4, whose half is 5.
        let found = RowSpread::of(&[7.0, 0.0, 4.0, 3.0, 1.0, 6.0, 2.0, 5.0, 0.0]);
        assert_eq!((found.median, found.carriers), (3.0, 2));
        assert_eq!(found.mean_without_carriers, 15.0 / 7.0);
        // The larger of two that are above makes up more than half.
        assert_eq!(RowSpread::of(&[0.0, 0.0, 2.0, 3.0]).carriers, 1);
    }

    #[test]
    fn equal_rows_are_carried_by_none() {
        let found = RowSpread::of(&[2.0; 5]);
        assert_eq!((found.mean, found.median, found.carriers), (2.0, 2.0, 0));
    }

    #[test]
    fn rows_of_a_normal_distribution_are_carried_by_an_eighth() {
        // ∫ φ over the upper c is half of that over the upper half where φ(z) = φ(0)/2: z = √(2 ln 2),
        // beyond which lie 0.1195.
        const TOLERANCE: f64 = 0.01;
        let rows = 10_000;
        let mut rng = rand_xoshiro::Xoshiro256PlusPlus::from_seed([1; 32]);
        let values: Vec<f64> = (0..rows)
            .map(|_| flowlet::StandardNormal.sample(&mut rng).into())
            .collect();
        let share = RowSpread::of(&values).carriers as f64 / f64::from(rows);
        assert!((share - 0.1195).abs() < TOLERANCE, "{share}");
    }

    #[test]
    fn what_is_not_finite_is_not_hidden() {
        assert!(RowSpread::of(&[]).mean.is_nan());
        assert!(RowSpread::of(&[1.0, f64::NAN]).mean.is_nan());
        let infinite = RowSpread::of(&[1.0, f64::INFINITY]);
        assert_eq!(infinite.mean, f64::INFINITY);
        assert!(infinite.median.is_nan());
    }

    use rand::SeedableRng;
}
