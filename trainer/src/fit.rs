//! Fits a flow to points.

mod checkpoint;
mod checks;
pub mod controls;
mod divergence;
pub mod objective;
mod recipe;
mod shards;
mod split;
mod state;
mod table_size;
mod training;

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::data::Dataset;
use crate::flow::{Flow, FlowKind};
use crate::flow_matching::FlowMatching;
use crate::real_nvp::{RealNvp, SCALE_CLIP};
use crate::whitening::log_diagonal;
use checkpoint::Checkpoints;
pub use controls::{Controls, End};
pub use divergence::Culprit;
pub use recipe::Recipe;
use split::Split;
use training::Training;

/// Euler steps that are enough for any velocity field worth having.
const STEP_COUNT: u16 = 100;

/// The kinds of flow there are to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// Affine couplings, fitted by maximum likelihood.
    RealNvp,
    /// A velocity field, fitted by regression.
    FlowMatching,
}

/// How to fit a flow.
///
/// Serialized, options have the names that they have on the command line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FitOptions {
    /// The kind of flow.
    pub model: ModelKind,
    /// How to train it.
    pub recipe: Recipe,
    /// Couplings of a RealNVP.
    pub layers: usize,
    /// Width of each hidden layer of a net.
    pub hidden: Vec<usize>,
    /// Steps of the optimizer.
    pub steps: usize,
    /// Rows a step; fewer where there are fewer.
    pub batch: usize,
    /// Learning rate at the start, from where it falls to 0 along a cosine.
    pub learning_rate: f64,
    /// Share of the rows kept out of training to choose the best weights by; of a long table fewer, see
    /// [`Fitted::validation`].
    pub validation_share: f64,
    /// Looks at the validation rows in a row, a hundredth of the steps each, that bring nothing
    /// better before training ends; none to do all steps.
    pub patience: Option<usize>,
    /// Euler steps of a flow-matching model unless its user says otherwise; 100 if not given.
    #[serde(rename = "steps-default")]
    pub step_count: Option<u16>,
    /// Where all random numbers come from.
    pub seed: u64,
}

impl FitOptions {
    /// Sixteen couplings of one 32-32 net each.
    ///
    /// They have half the multiply-adds of eight of 64-64, and come closer to all toy sets.
    pub fn real_nvp() -> Self {
        let (steps, learning_rate) = Recipe::Tuned.steps_and_rate(ModelKind::RealNvp);
        Self {
            model: ModelKind::RealNvp,
            recipe: Recipe::Tuned,
            layers: 16,
            hidden: vec![32, 32],
            steps,
            batch: 256,
            learning_rate,
            validation_share: 0.1,
            patience: None,
            step_count: None,
            seed: 0,
        }
    }

    /// One 64-64-64 net.
    pub fn flow_matching() -> Self {
        let options = Self {
            model: ModelKind::FlowMatching,
            layers: 1,
            hidden: vec![64, 64, 64],
            ..Self::real_nvp()
        };
        options.with_recipe(Recipe::Tuned)
    }

    /// The kind of flow, as the flow will say it.
    fn kind(&self) -> FlowKind {
        match self.model {
            ModelKind::RealNvp => FlowKind::RealNvp {
                scale_clip: SCALE_CLIP,
            },
            ModelKind::FlowMatching => FlowKind::FlowMatching {
                step_count: self.step_count.unwrap_or(STEP_COUNT),
            },
        }
    }
}

/// How far training has come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Steps done.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// Mean loss of the batches since the last report.
    pub loss: f64,
    /// Loss on the validation rows.
    pub validation: f64,
}

/// A fitted flow, and how well it fits.
///
/// Losses are nats in standardized space for RealNVP, and mean squares for flow matching.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// The flow, with the weights that were best on the validation rows.
    pub flow: Flow,
    /// The step those weights are from.
    pub best_step: usize,
    /// Mean loss of the batches before that step.
    pub training_loss: f64,
    /// Loss on the validation rows.
    pub validation_loss: f64,
    /// Steps done.
    pub steps: usize,
    /// Why there were no more.
    pub end: End,
    /// All looks at the validation rows, those before a checkpoint too.
    pub history: Vec<Progress>,
    /// The rows trained on.
    pub training: Vec<usize>,
    /// The rows kept out for validation: the share asked for, but at most 500 or a hundredth of all,
    /// whichever is more, and never more than 10,000.
    pub validation: Vec<usize>,
    /// Why a checkpoint could not be written, if one could not; training went on.
    pub checkpoint_problem: Option<String>,
}

/// Fits a flow to `dataset`, calling `report` now and then.
///
/// The same seed gives the same weights, whatever the number of threads.
///
/// # Errors
///
/// [`Error::Limit`], [`Error::NoSteps`] or [`Error::Option`] where the options make no sense,
/// [`Error::TooFewRows`], [`Error::ConstantColumn`] or [`Error::ConstantColumns`],
/// [`Error::NotFinite`], and [`Error::Diverged`] where the loss leaves
/// the finite numbers again and again.
pub fn fit(
    dataset: &Dataset,
    options: &FitOptions,
    report: &mut dyn FnMut(&Progress),
) -> Result<Fitted, Error> {
    fit_controlled(dataset, options, Controls::new(report))
}

/// [`fit`], which can be stopped, and resumed after it was broken off.
///
/// # Errors
///
/// Those of [`fit`]; [`Error::Io`] where a checkpoint cannot be read, and
/// [`Error::Checkpoint`] where it is damaged, or of a run with other options or data.
pub fn fit_controlled(
    dataset: &Dataset,
    options: &FitOptions,
    mut controls: Controls<'_>,
) -> Result<Fitted, Error> {
    checks::check(dataset, options)?;
    checks::check_columns_vary(dataset)?;
    let mut rng = random(options.seed);
    let split = Split::new(
        dataset,
        options.validation_share,
        options.recipe.whitens(),
        &mut rng,
    )?;
    let dim = dataset.points.ncols();
    let context_dim = dataset.context.ncols();
    let mut checkpoints = Checkpoints::new(controls.resume, controls.checkpoint, options, dataset);
    let (state, end) = match options.model {
        ModelKind::RealNvp => {
            let log_diagonal = split.factor.as_ref().map_or(0.0, log_diagonal);
            let outliers = options.recipe.outliers(dim, split.training.len());
            let objective = RealNvp::new(dim, context_dim, options.layers)
                .of_white_rows(log_diagonal)
                .with_outliers(outliers);
            let training = Training::new(objective, &split, &dataset.labels, options, rng);
            training.run(&mut controls, &mut checkpoints)?
        }
        ModelKind::FlowMatching => {
            let objective = FlowMatching {
                dim,
                context_dim,
                coupling: options.recipe.coupling(context_dim),
            };
            let training = Training::new(objective, &split, &dataset.labels, options, rng);
            training.run(&mut controls, &mut checkpoints)?
        }
    };
    Ok(Fitted {
        checkpoint_problem: checkpoints.into_problem(),
        training: split.training,
        validation: split.validation,
        flow: Flow {
            name: dataset.name.clone(),
            labels: dataset.labels.clone(),
            dim,
            context_dim,
            mean: split.mean,
            std: split.std,
            factor: split.factor,
            kind: options.kind(),
            nets: state.best.nets,
        },
        best_step: state.best.step,
        training_loss: state.best.training_loss,
        validation_loss: state.best.validation_loss,
        steps: state.step,
        end,
        history: state.history,
    })
}

/// Where all random numbers come from.
fn random(seed: u64) -> Xoshiro256PlusPlus {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    // Away from the numbers that a toy set was drawn with, by the same seed perhaps.
    rng.jump();
    rng
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use ndarray::{Array2, Axis};
    use rand::RngExt;

    use super::*;
    use crate::evaluation::log_std;
    use crate::export::export;
    use crate::inference::log_probs;

    /// Of the band, standardized, in nats: ln 0.4 − ½ ln(1/3) − ½ ln(4/45 + 1/300).
    const ENTROPY: f64 = 0.825;

    /// A curved band: the second dimension follows the square of the first.
    fn band(rows: usize) -> Dataset {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(9);
        let mut points =
            Array2::from_shape_simple_fn((rows, 2), || 2.0 * rng.random::<f32>() - 1.0);
        for mut row in points.rows_mut() {
            row[1] = row[0] * row[0] + 0.1 * row[1];
        }
        Dataset {
            name: "band".into(),
            points,
            context: Array2::ones((rows, 1)),
            labels: vec!["x".into(), "y".into(), "always=yes".into()],
        }
    }

    fn small(options: FitOptions) -> FitOptions {
        FitOptions {
            hidden: vec![16, 16],
            steps: 150,
            ..options
        }
    }

    fn in_pool(threads: usize, options: &FitOptions) -> Vec<crate::nn::Mlp<f32>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let dataset = band(1500);
        let fitted = pool
            .build()
            .unwrap()
            .install(|| fit(&dataset, options, &mut |_| {}));
        fitted.unwrap().flow.nets
    }

    #[test]
    fn weights_do_not_depend_on_the_number_of_threads() {
        for options in [FitOptions::real_nvp(), FitOptions::flow_matching()] {
            let options = small(options);
            let alone = in_pool(1, &options);
            for threads in [2, 3] {
                assert_eq!(alone, in_pool(threads, &options), "{threads} threads");
            }
        }
    }

    #[test]
    fn weights_depend_on_the_seed() {
        let options = small(FitOptions::real_nvp());
        let other = FitOptions {
            seed: 1,
            ..options.clone()
        };
        assert_ne!(in_pool(1, &options), in_pool(1, &other));
    }

    #[test]
    fn real_nvp_learns_what_a_normal_distribution_cannot() {
        // The two dimensions are not correlated, so a normal distribution does no better.
        let normal = std::f64::consts::TAU.ln() + 1.0;
        let options = FitOptions {
            steps: 600,
            ..small(FitOptions::real_nvp())
        };
        let fitted = fit(&band(1500), &options, &mut |_| {}).unwrap();
        let loss = fitted.validation_loss;
        assert!(loss < 0.5 * (ENTROPY + normal), "{loss} nats");
        assert_eq!(
            (fitted.training.len(), fitted.validation.len()),
            (1350, 150)
        );
        assert_eq!(fitted.flow.nets.len(), options.layers);
    }

    #[test]
    fn the_runtime_gives_the_loss_that_training_ended_with() {
        // In f32 by other sums, through tanh and exp that differ in the last places.
        const TOLERANCE: f64 = 1e-5;
        let options = small(FitOptions::real_nvp());
        let mut dataset = band(1500);
        // In a unit of its own.
        dataset.context = dataset
            .points
            .select(Axis(1), &[0])
            .mapv(|x| 10.0 * x + 30.0);
        let mut whitened = dataset.clone();
        let third = dataset.points.sum_axis(Axis(1));
        whitened
            .points
            .push_column((third + dataset.points.column(1).mapv(f32::sin)).view())
            .unwrap();
        for (dataset, whitens) in [(dataset, false), (whitened, true)] {
            let fitted = fit(&dataset, &options, &mut |_| {}).unwrap();
            assert_eq!(fitted.flow.factor.is_some(), whitens);
            let rows = |table: &Array2<f32>| table.select(Axis(0), &fitted.validation);
            let (points, context) = (rows(&dataset.points), rows(&dataset.context));
            let flow = Flow {
                labels: vec![],
                ..fitted.flow
            };
            let file = export(&flow, flowlet::Precision::F32).unwrap();
            let model = file.model().unwrap();
            let log_probs = log_probs(&model, &points, &context).unwrap();
            let sum = log_probs.iter().copied().map(f64::from).sum::<f64>();
            let loss = -sum / log_probs.len() as f64 - log_std(&model);
            let error = (loss - fitted.validation_loss).abs();
            assert!(error < TOLERANCE, "{loss} for {}", fitted.validation_loss);
        }
    }

    #[test]
    fn a_context_that_tells_the_point_is_used() {
        // The least mean square of flow matching where data is standard normal and nothing is told.
        const UNTOLD: f64 = std::f64::consts::FRAC_PI_2;
        let mut dataset = band(1500);
        dataset.context = dataset.points.clone();
        let told = |options| {
            let options = FitOptions {
                steps: 600,
                ..small(options)
            };
            fit(&dataset, &options, &mut |_| {})
                .unwrap()
                .validation_loss
        };
        let mean_square = told(FitOptions::flow_matching());
        assert!(mean_square < 0.5 * UNTOLD, "mean square {mean_square}");
        let nats = told(FitOptions::real_nvp());
        assert!(nats < ENTROPY - 0.4, "{nats} nats");
    }

    #[test]
    fn the_best_weights_reported_are_the_ones_returned() {
        let mut losses = Vec::new();
        let options = FitOptions {
            steps: 1000,
            ..FitOptions::real_nvp()
        };
        // So few rows that training overfits.
        let fitted = fit(&band(40), &options, &mut |progress| {
            losses.push((progress.validation, progress.step));
        });
        let fitted = fitted.unwrap();
        let best = losses.iter().copied().min_by(|a, b| a.0.total_cmp(&b.0));
        assert_eq!(best, Some((fitted.validation_loss, fitted.best_step)));
        assert!(fitted.best_step < 1000, "no overfitting, no test");
        assert_eq!(losses.last().map(|last| last.1), Some(1000));
    }

    #[test]
    fn patience_ends_a_run_that_finds_nothing_better() {
        let options = FitOptions {
            steps: 1000,
            patience: Some(5),
            ..FitOptions::real_nvp()
        };
        // So few rows that training overfits.
        let fitted = fit(&band(40), &options, &mut |_| {}).unwrap();
        assert_eq!(fitted.end, End::Patience);
        assert!(fitted.steps < 1000);
        let looks: Vec<usize> = fitted.history.iter().map(|look| look.step).collect();
        let best = looks.iter().position(|&step| step == fitted.best_step);
        assert_eq!(best, Some(looks.len() - 6), "{looks:?}");
        assert_eq!(looks.last(), Some(&fitted.steps));
    }

    #[test]
    fn a_run_that_is_stopped_gives_its_best_weights() {
        let stop = AtomicBool::new(false);
        let stopped = fit_controlled(
            &band(100),
            &small(FitOptions::real_nvp()),
            Controls {
                stop: &stop,
                ..Controls::new(&mut |now| stop.store(now.step >= 40, Ordering::Relaxed))
            },
        );
        let stopped = stopped.unwrap();
        assert_eq!((stopped.end, stopped.steps), (End::Stopped, 40));
        let losses = stopped.history.iter().map(|look| look.validation);
        assert_eq!(losses.reduce(f64::min), Some(stopped.validation_loss));
    }

    #[test]
    fn a_rate_too_high_is_an_error_and_not_a_flow() {
        let options = FitOptions {
            learning_rate: 1e38,
            ..small(FitOptions::real_nvp())
        };
        let error = fit(&band(100), &options, &mut |_| {}).unwrap_err();
        assert!(matches!(error, Error::Diverged { .. }), "{error}");
    }

    #[test]
    fn a_run_too_short_to_give_up_is_no_flow_either() {
        let options = FitOptions {
            learning_rate: 1e38,
            steps: 3,
            ..small(FitOptions::real_nvp())
        };
        let error = fit(&band(100), &options, &mut |_| {}).unwrap_err();
        assert!(matches!(error, Error::Diverged { .. }), "{error}");
    }

    #[test]
    fn one_dimension_is_enough() {
        for options in [FitOptions::real_nvp(), FitOptions::flow_matching()] {
            let mut dataset = band(200);
            dataset.points.remove_index(Axis(1), 1);
            dataset.context = Array2::zeros((200, 0));
            let fitted = fit(&dataset, &small(options), &mut |_| {}).unwrap();
            assert!(fitted.validation_loss.is_finite());
        }
    }

    #[test]
    fn recipes_end_at_the_losses_stored() {
        // Sums are the same everywhere, but cosines and logarithms are the system's, and a hundred steps make
        // more of a last place. SOAP's decay at 0.96 for 0.95 moves the first loss by seven times as much.
        const TOLERANCE: f64 = 1e-3;
        const STORED: [f64; 4] = [1.51595, 1.79200, 0.28889, 2.02076];
        let models = [FitOptions::real_nvp(), FitOptions::flow_matching()];
        let recipes = models.into_iter().flat_map(|options| {
            [Recipe::Tuned, Recipe::Plain].map(|r| options.clone().with_recipe(r))
        });
        let losses = recipes.map(|options| {
            let options = FitOptions {
                layers: 4,
                steps: 100,
                hidden: vec![16, 16],
                ..options
            };
            let mut dataset = band(1500);
            dataset.context = Array2::zeros((1500, 0));
            fit(&dataset, &options, &mut |_| {})
                .unwrap()
                .validation_loss
        });
        let losses: Vec<f64> = losses.collect();
        let pairs = losses.iter().zip(STORED);
        let error = pairs.fold(0.0, |error: f64, (found, stored)| {
            error.max((found - stored).abs())
        });
        assert!(error < TOLERANCE, "{losses:?}");
    }

    #[test]
    fn what_diverges_is_named() {
        let options = FitOptions {
            learning_rate: 1e38,
            ..small(FitOptions::real_nvp())
        };
        let error = fit(&band(100), &options, &mut |_| {})
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("the net of layer") && error.contains("of 16"),
            "{error}"
        );

        // A row kept out of training, so far that it has no place in f32 once standardized.
        let options = small(FitOptions::real_nvp());
        let mut dataset = band(1500);
        let share = options.validation_share;
        let rng = &mut random(options.seed);
        let split = Split::new(&dataset, share, false, rng).unwrap();
        let row = split.validation[3];
        dataset.points[[row, 1]] = 3e38;
        let error = fit(&dataset, &options, &mut |_| {})
            .unwrap_err()
            .to_string();
        let expected = format!(
            "column y lies inf standard deviations out in row {}",
            row + 1
        );
        assert!(error.contains(&expected), "{error}");
    }

    #[test]
    fn a_number_that_is_none_is_an_error_that_names_it() {
        let mut dataset = band(100);
        dataset.points[[41, 1]] = f32::NAN;
        let error = fit(&dataset, &FitOptions::real_nvp(), &mut |_| {}).unwrap_err();
        assert_eq!(
            error.to_string(),
            "column y is NaN in row 42: drop such rows"
        );
    }
}
