//! Ways to train.

use serde::{Deserialize, Serialize};

use super::{FitOptions, ModelKind};
use crate::flow_matching::Coupling;
use crate::nn::Mlp;
use crate::optimizer::{Adam, Optimizer, Soap};
use crate::outliers::Outliers;

/// Share of the new weights in the running average at each step.
const AVERAGE_SHARE: f64 = 0.002;

/// Outliers among n rows of D columns, in √(D n): chosen on sensor data of other persons than those
/// trained on, where 0.5 to 1 do about as well.
const OUTLIERS: f64 = 0.8;

/// Largest share of outliers.
const MOST_OUTLIERS: f64 = 0.2;

/// What is done to find the weights, whatever the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recipe {
    /// The best known: [SOAP](Soap), the running average of the weights, and for flow matching without a
    /// context the [optimal transport](Coupling::OptimalTransport) of noise to data.
    #[default]
    Tuned,
    /// What papers and tutorials do: [Adam], the weights of the last step, noise and data paired at
    /// random, columns standardized each by itself, no outliers.
    Plain,
}

impl Recipe {
    /// The optimizer at rest, for the weights of `nets`.
    pub(super) fn optimizer(self, nets: &[Mlp<f32>]) -> Optimizer {
        match self {
            Self::Tuned => Optimizer::Soap(Soap::new(nets)),
            Self::Plain => Optimizer::Adam(Adam::new(nets)),
        }
    }

    /// The new weights' share in the weights that are kept, at `step` from 1.
    pub(super) fn average_share(self, step: usize) -> f64 {
        match self {
            // A plain mean at first, so that the weights at the start don't linger.
            Self::Tuned => AVERAGE_SHARE.max(1.0 / step as f64),
            Self::Plain => 1.0,
        }
    }

    /// How noise is paired with rows that have so many context numbers.
    pub(super) fn coupling(self, context_dim: usize) -> Coupling {
        match (self, context_dim) {
            (Self::Tuned, 0) => Coupling::OptimalTransport,
            _ => Coupling::Independent,
        }
    }

    /// Whether columns are freed of their correlation, where that helps.
    pub(super) fn whitens(self) -> bool {
        self == Self::Tuned
    }

    /// The outliers among so many rows to train on.
    ///
    /// The fewer rows there are for a dimension, the less they say of how far others may lie. In the
    /// plane rows seldom lie apart, and the share would show in the fit.
    pub(super) fn outliers(self, dim: usize, rows: usize) -> Outliers {
        match self {
            Self::Tuned if dim > 2 => Outliers {
                share: (OUTLIERS * (dim as f64 / rows as f64).sqrt()).min(MOST_OUTLIERS),
            },
            _ => Outliers::NONE,
        }
    }

    /// The steps and the learning rate that are right for most tables.
    pub(super) fn steps_and_rate(self, model: ModelKind) -> (usize, f64) {
        match (self, model) {
            (Self::Tuned, ModelKind::RealNvp) => (8_000, 1e-2),
            (Self::Tuned, ModelKind::FlowMatching) => (8_000, 5e-3),
            (Self::Plain, ModelKind::RealNvp) => (8_000, 2e-3),
            (Self::Plain, ModelKind::FlowMatching) => (20_000, 2e-3),
        }
    }
}

impl FitOptions {
    /// These options with another recipe, and the steps and learning rate that suit it.
    pub fn with_recipe(self, recipe: Recipe) -> Self {
        let (steps, learning_rate) = recipe.steps_and_rate(self.model);
        Self {
            recipe,
            steps,
            learning_rate,
            ..self
        }
    }
}
