//! Options that grow with the table.

use super::{FitOptions, ModelKind, Recipe};

/// Fewer rows to train on are fitted by a smaller flow.
const SMALL_TABLE: usize = 2_000;

/// Times that training goes through all rows, before all that is left to learn is their noise.
const MOST_ROUNDS: usize = 140;

/// Steps that even the smallest table takes, for the optimizer to find its way.
const FEWEST_STEPS: usize = 400;

impl FitOptions {
    /// These options for a table of so many columns and rows: a smaller RealNVP, at a lower rate, where
    /// there are few rows, and no more steps than the rows are worth.
    ///
    /// A flow of 16 couplings learns 400 rows by heart within a hundred steps, before the validation
    /// rows can tell. The plain recipe and flow matching stay as they are.
    pub fn for_table(self, dim: usize, rows: usize) -> Self {
        if self.recipe != Recipe::Tuned || self.model != ModelKind::RealNvp {
            return self;
        }
        let training_rows = (rows as f64 * (1.0 - self.validation_share)) as usize;
        let steps = (MOST_ROUNDS * training_rows / self.batch).max(FEWEST_STEPS);
        let options = Self {
            steps: steps.min(self.steps),
            ..self
        };
        if training_rows >= SMALL_TABLE {
            return options;
        }
        let width = if dim > 8 { 32 } else { 16 };
        Self {
            layers: 8,
            hidden: vec![width, width],
            learning_rate: 5e-3,
            ..options
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rows_make_a_small_flow_and_a_short_run() {
        let few = FitOptions::real_nvp().for_table(6, 410);
        assert_eq!((few.layers, few.steps), (8, FEWEST_STEPS));
        assert_eq!(few.hidden, [16, 16]);
        let wide = FitOptions::real_nvp().for_table(30, 410);
        assert_eq!(wide.hidden, [32, 32]);
        let more = FitOptions::real_nvp().for_table(6, 4_000);
        // 140 · 3,600 / 256.
        assert_eq!(more.steps, 1_968);
        assert_eq!(more.hidden, FitOptions::real_nvp().hidden);
    }

    #[test]
    fn large_tables_and_other_ways_to_train_change_nothing() {
        let options = FitOptions::real_nvp();
        assert_eq!(options.clone().for_table(6, 100_000), options);
        let plain = options.with_recipe(Recipe::Plain);
        assert_eq!(plain.clone().for_table(6, 100), plain);
        let flow_matching = FitOptions::flow_matching();
        assert_eq!(flow_matching.clone().for_table(6, 100), flow_matching);
    }
}
