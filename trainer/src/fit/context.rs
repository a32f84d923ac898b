//! Context numbers of any unit.

use ndarray::{Array2, Axis, s};

use super::split::mean_and_std;
use crate::nn::Mlp;

/// The scale of each context column: nets train on `(c − mean) / std`.
///
/// The file knows no such transform. Once trained, the first layer of each net takes it over:
/// `W′ = W / std` and `b′ = b − W · mean / std`.
#[derive(Debug)]
pub(super) struct ContextScale {
    /// Mean and standard deviation of each column; 0 and 1 where it is constant.
    columns: Vec<(f64, f64)>,
}

impl ContextScale {
    /// The scale of `context` `[n, context_dim]` over `rows`.
    pub(super) fn of(context: &Array2<f32>, rows: &[usize]) -> Self {
        let scale = |(mean, std)| (f64::from(mean), f64::from(std));
        let columns = context.columns().into_iter();
        Self {
            columns: columns
                .map(|column| mean_and_std(column, rows).map_or((0.0, 1.0), scale))
                .collect(),
        }
    }

    /// What the nets read in training.
    pub(super) fn forward(&self, context: &Array2<f32>) -> Array2<f32> {
        let mut scaled = context.clone();
        for (mut column, (mean, std)) in scaled.axis_iter_mut(Axis(1)).zip(&self.columns) {
            column.mapv_inplace(|c| ((f64::from(c) - mean) / std) as f32);
        }
        scaled
    }

    /// Lets a trained net, whose last inputs are the context, read it as it is.
    pub(super) fn fold_into(&self, net: &mut Mlp<f32>) {
        let Some(layer) = net.layers.first_mut() else {
            return;
        };
        let others = layer.weight.ncols() - self.columns.len();
        let mut weight = layer.weight.slice_mut(s![.., others..]);
        for (mut row, bias) in weight.rows_mut().into_iter().zip(&mut layer.bias) {
            let mut shift = 0.0;
            for (weight, (mean, std)) in row.iter_mut().zip(&self.columns) {
                let scaled = f64::from(*weight) / std;
                shift += scaled * mean;
                *weight = scaled as f32;
            }
            *bias = (f64::from(*bias) - shift) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Pass;
    use flowlet::Activation;
    use ndarray::{arr2, concatenate};
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    const ROWS: [usize; 3] = [0, 1, 2];

    fn output(net: &Mlp<f32>, point: &Array2<f32>, context: &Array2<f32>) -> Array2<f32> {
        let input = concatenate![Axis(1), *point, *context];
        let mut pass = Pass::new(net, input.nrows());
        pass.input_mut().assign(&input);
        pass.forward(net);
        pass.output().clone()
    }

    #[test]
    fn a_folded_net_reads_the_context_as_it_is() {
        // The bias takes over W · mean / std, some hundreds here, whose last place is 3e-5.
        const TOLERANCE: f32 = 1e-4;
        let context = arr2(&[[300.0, 0.0, 1.0], [301.0, 1.0, 1.0], [302.5, 1.0, 1.0]]);
        let point = arr2(&[[0.5], [-1.0], [2.0]]);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
        let mut net = Mlp::random(&[4, 8, 2], Activation::Tanh, &mut rng);
        let scale = ContextScale::of(&context, &ROWS);
        let trained = output(&net, &point, &scale.forward(&context));
        scale.fold_into(&mut net);
        let folded = output(&net, &point, &context);
        let error = (&trained - &folded).mapv(f32::abs);
        assert!(error.iter().all(|e| *e < TOLERANCE), "{error}");
    }

    #[test]
    fn a_constant_column_stays_as_it_is() {
        let context = arr2(&[[7.0], [7.0], [7.0]]);
        let scale = ContextScale::of(&context, &ROWS);
        assert_eq!(scale.forward(&context), context);
    }
}
