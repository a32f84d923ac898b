//! Contexts whose numbers are too large for a net's fixed-point input.

use ndarray::ArrayView2;

use crate::flow::Flow;

/// How far from 0 a standardized context number is brought.
///
/// One number of 5,000 would cost a net ten of its 22 fraction bits, and all other inputs too.
const REACH: f64 = 4.0;

/// The same flow, with such means and standard deviations for its context that those of the rows
/// `[n, context_dim]` lie within ±4.
///
/// A flow trained elsewhere may read its context as it is, in thousands. The nets' first layers make up
/// for the change.
pub(super) fn within_reach(flow: &Flow, context: ArrayView2<f32>) -> Flow {
    let mut flow = flow.clone();
    for (i, column) in context.columns().into_iter().enumerate() {
        let low = column.iter().copied().fold(f32::INFINITY, f32::min);
        let high = column.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        recenter(&mut flow, i, f64::from(low), f64::from(high));
    }
    flow
}

/// Brings context number `i`, which is from `low` to `high`, within reach.
fn recenter(flow: &mut Flow, i: usize, low: f64, high: f64) {
    let column = flow.dim + i;
    let (mean, std) = (f64::from(flow.mean[column]), f64::from(flow.std[column]));
    if [low, high]
        .iter()
        .all(|c| ((c - mean) / std).abs() <= REACH)
    {
        return;
    }
    let new_mean = ((low + high) / 2.0) as f32;
    let half = (high - low) / 2.0;
    let new_std = if half > 0.0 { half / REACH } else { std } as f32;
    // Rows that are not finite, or too near or far for the file, are left as they are.
    if !new_mean.is_finite() || !new_std.is_normal() {
        return;
    }
    flow.mean[column] = new_mean;
    flow.std[column] = new_std;
    let shift = ((f64::from(new_mean) - mean) / std) as f32;
    let scale = (f64::from(new_std) / std) as f32;
    for first in flow
        .nets
        .iter_mut()
        .filter_map(|net| net.layers.first_mut())
    {
        let input = first.weight.ncols() - flow.context_dim + i;
        let mut weights = first.weight.column_mut(input);
        first.bias.scaled_add(shift, &weights);
        weights *= scale;
    }
}

#[cfg(test)]
mod tests {
    use flowlet::Precision;
    use ndarray::{Array2, array};
    use rand::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;
    use crate::export::export;
    use crate::flow::{Activation, FlowKind};
    use crate::inference::log_probs;
    use crate::nn::Mlp;

    /// Reads its second context number as it is, in thousands.
    fn flow() -> Flow {
        let rng = &mut Xoshiro256PlusPlus::seed_from_u64(3);
        let mut nets = vec![
            Mlp::random(&[3, 6, 2], Activation::Tanh, rng),
            Mlp::random(&[3, 6, 2], Activation::Tanh, rng),
        ];
        for net in &mut nets {
            net.layers[0]
                .weight
                .column_mut(2)
                .mapv_inplace(|w| w * 1e-3);
        }
        Flow {
            name: "flow".into(),
            labels: vec![],
            dim: 2,
            context_dim: 2,
            mean: vec![1.0, 2.0, 3.0, 0.0],
            std: vec![1.0, 1.0, 2.0, 1.0],
            factor: None,
            kind: FlowKind::RealNvp { scale_clip: 2.0 },
            nets,
        }
    }

    #[test]
    fn a_large_context_comes_within_reach_and_the_flow_stays_the_same() {
        // Sums of numbers below 10 with the rounding errors of f32, 6e-7 each.
        const TOLERANCE: f32 = 1e-5;
        let flow = flow();
        let context = array![[1.0, 1000.0], [5.0, 5000.0], [3.0, 2000.0]];
        let near = within_reach(&flow, context.view());
        assert_eq!(near.mean, [1.0, 2.0, 3.0, 3000.0]);
        assert_eq!(near.std, [1.0, 1.0, 2.0, 500.0]);
        let points = Array2::from_shape_fn((3, 2), |(row, i)| row as f32 + 0.5 * i as f32);
        let [before, after] = [&flow, &near].map(|flow| {
            let file = export(flow, Precision::F32).unwrap();
            log_probs(&file.model().unwrap(), &points, &context).unwrap()
        });
        for (before, after) in before.iter().zip(&after) {
            assert!((before - after).abs() < TOLERANCE, "{before} {after}");
        }
    }

    #[test]
    fn a_context_that_never_changes_is_centered() {
        let near = within_reach(&flow(), array![[3.0, 7000.0], [3.0, 7000.0]].view());
        assert_eq!((near.mean[3], near.std[3]), (7000.0, 1.0));
    }

    #[test]
    fn a_context_within_reach_or_beyond_numbers_stays() {
        for rows in [
            array![[0.0, -3.0], [9.0, 4.0]],
            array![[0.0, f32::INFINITY], [9.0, 1.0]],
            Array2::zeros((0, 2)),
        ] {
            let same = within_reach(&flow(), rows.view());
            assert_eq!((same.mean, same.std), (flow().mean, flow().std));
            assert_eq!(same.nets, flow().nets);
        }
    }
}
