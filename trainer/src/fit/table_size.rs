//! Options that grow with the table.

use super::{FitOptions, ModelKind, Recipe};

/// Fewer rows to train on are fitted by a smaller flow.
const SMALL_TABLE: usize = 2_000;

/// Times that training goes through all rows, before all that is left to learn is their noise.
const MOST_ROUNDS: usize = 140;

/// The same for one column or two, where rows lie closer.
const MOST_ROUNDS_IN_THE_PLANE: usize = 230;

/// Steps that even the smallest table takes, for the optimizer to find its way.
const FEWEST_STEPS: usize = 200;

/// The same for many columns, whose dependences take longer to find.
const FEWEST_STEPS_OF_MANY_COLUMNS: usize = 400;

/// More columns are many.
const FEW_COLUMNS: usize = 8;

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
        let rounds = if dim > 2 {
            MOST_ROUNDS
        } else {
            MOST_ROUNDS_IN_THE_PLANE
        };
        let (fewest_steps, width, learning_rate) = if dim > FEW_COLUMNS {
            (FEWEST_STEPS_OF_MANY_COLUMNS, 32, 3e-3)
        } else {
            (FEWEST_STEPS, 16, 2e-3)
        };
        let steps = (rounds * training_rows / self.batch).max(fewest_steps);
        let options = Self {
            steps: steps.min(self.steps),
            ..self
        };
        if training_rows >= SMALL_TABLE {
            return options;
        }
        Self {
            layers: 8,
            hidden: vec![width, width],
            learning_rate,
            ..options
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rows_make_a_small_flow_and_a_short_run() {
        let few = FitOptions::real_nvp().for_table(6, 300);
        assert_eq!((few.layers, few.steps), (8, FEWEST_STEPS));
        assert_eq!(few.hidden, [16, 16]);
        let wide = FitOptions::real_nvp().for_table(30, 300);
        assert_eq!((wide.layers, wide.steps), (8, FEWEST_STEPS_OF_MANY_COLUMNS));
        assert_eq!(wide.hidden, [32, 32]);
        let more = FitOptions::real_nvp().for_table(6, 4_000);
        // 140 · 3,600 / 256.
        assert_eq!(more.steps, 1_968);
        assert_eq!(more.hidden, FitOptions::real_nvp().hidden);
        // 230 · 3,600 / 256.
        let plane = FitOptions::real_nvp().for_table(2, 4_000);
        assert_eq!(plane.steps, 3_234);
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
