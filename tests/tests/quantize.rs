//! Integer nets of any flow: they load, and they stay near the `f32` ones.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use flowlet::{MAX_SCRATCH_LEN, Model, Precision};
use flowlet_tests::golden;
use flowlet_tests::random_flow::{
    Generator, Shape, generator, random_context, random_flow, random_latent, random_point,
    real_nvps, velocity_fields,
};
use flowlet_trainer::Error;
use flowlet_trainer::export::export;
use flowlet_trainer::flow::{Activation, Flow, FlowKind};
use flowlet_trainer::model_file::ModelFile;
use flowlet_trainer::quantize::{Rows, quantize};
use ndarray::{Array2, ArrayView2};

type Scratch = flowlet::Scratch<MAX_SCRATCH_LEN>;

/// Points that each flow is tried at.
const POINTS: usize = 64;

/// Points that each flow is calibrated on.
const ROWS: usize = 1000;

/// Root mean square difference, relative to what outputs are. Random weights have no pattern that
/// roundings could follow, and golden ones read other points than they are trained on. Measured: 0.009.
const NEAR: f64 = 0.02;

/// Layers of the deepest flow: 32 random ones enlarge any error a hundred times.
const DEEPEST: usize = 8;

/// The root mean square difference of what `compute` gives in both precisions.
fn difference(flow: &Flow, compute: impl Fn(&Model<'_>, &mut Generator) -> Vec<f32>) -> f64 {
    difference_in(flow, |c| c, compute)
}

/// The same for a context in other units.
fn difference_in(
    flow: &Flow,
    unit: impl Fn(f32) -> f32,
    compute: impl Fn(&Model<'_>, &mut Generator) -> Vec<f32>,
) -> f64 {
    let all = |file: &ModelFile| {
        let model = file.model().unwrap();
        let rng = &mut generator(5);
        let outputs = (0..POINTS).flat_map(|_| compute(&model, rng));
        outputs.map(f64::from).collect::<Vec<f64>>()
    };
    let rng = &mut generator(6);
    let points: Vec<f32> = (0..ROWS).flat_map(|_| random_point(flow, rng)).collect();
    let context = (0..ROWS).flat_map(|_| random_context(flow, rng));
    let context: Vec<f32> = context.map(unit).collect();
    let rows = Rows {
        points: ArrayView2::from_shape((ROWS, flow.dim), &points).unwrap(),
        context: ArrayView2::from_shape((ROWS, flow.context_dim), &context).unwrap(),
    };
    let float = all(&export(flow, Precision::F32).unwrap());
    let int8 = all(&quantize(flow, Some(rows)).unwrap().export().unwrap());
    let root_mean = |squares: f64| (squares / float.len() as f64).sqrt();
    let error = root_mean(float.iter().zip(&int8).map(|(a, b)| (a - b).powi(2)).sum());
    error / root_mean(float.iter().map(|a| a * a).sum())
}

#[test]
fn latents_of_random_real_nvps_stay_near() {
    let flows = real_nvps();
    let golden = golden::REAL_NVP.map(golden::flow);
    for flow in flows.iter().chain(&golden) {
        let mut flow = flow.clone();
        flow.nets.truncate(DEEPEST);
        let flow = &flow;
        let found = difference(flow, |model, rng| {
            let (mut x, context) = (random_point(flow, rng), random_context(flow, rng));
            let flow = model.real_nvp().unwrap();
            flow.forward(&mut x, &context, &mut Scratch::new()).unwrap();
            x
        });
        println!("{} {found:.5}", flow.name);
        assert!(found <= NEAR, "{}: {found}", flow.name);
    }
}

#[test]
fn velocities_of_random_fields_stay_near() {
    let flows = velocity_fields();
    let golden = golden::FLOW_MATCHING.map(golden::flow);
    for flow in flows.iter().chain(&golden) {
        let found = difference(flow, |model, rng| {
            let (x, context) = (random_latent(flow.dim, rng), random_context(flow, rng));
            let mut v = vec![0.0; flow.dim];
            let field = model.velocity_field().unwrap();
            field
                .velocity(&x, 0.25, &context, &mut v, &mut Scratch::new())
                .unwrap();
            v
        });
        println!("{} {found:.5}", flow.name);
        assert!(found <= NEAR, "{}: {found}", flow.name);
    }
}

/// Numbers that a training gone wrong, or another framework, may leave.
const EXTREMES: [f32; 5] = [0.0, 1e-30, 1e-3, 1e4, 1e30];

#[test]
fn weights_of_any_size_load() {
    for activation in [Activation::Tanh, Activation::Elu] {
        for hidden in [&[][..], &[5], &[6, 7]] {
            for kind in [
                FlowKind::RealNvp { scale_clip: 2.0 },
                FlowKind::FlowMatching { step_count: 3 },
            ] {
                let shape = Shape {
                    dim: 3,
                    context_dim: 1,
                    whitened: true,
                    kind,
                    net_count: match kind {
                        FlowKind::RealNvp { .. } => 3,
                        FlowKind::FlowMatching { .. } => 1,
                    },
                    hidden,
                    activation,
                };
                for (i, weight) in EXTREMES.into_iter().enumerate() {
                    for bias in EXTREMES {
                        let mut flow = random_flow(shape, i as u64);
                        scale(&mut flow, weight, bias);
                        export(&flow, Precision::Int8).unwrap();
                    }
                }
            }
        }
    }
}

/// Multiplies the weights and biases of every second output of each layer, and of all in the last.
fn scale(flow: &mut Flow, weight: f32, bias: f32) {
    for net in &mut flow.nets {
        let last = net.layers.len() - 1;
        for (j, layer) in net.layers.iter_mut().enumerate() {
            for o in (0..layer.bias.len()).filter(|o| j == last || o % 2 == 0) {
                layer.weight.row_mut(o).mapv_inplace(|w| w * weight);
                layer.bias[o] *= bias;
            }
        }
    }
}

#[test]
fn one_flow_and_its_rows_give_one_file() {
    let flow = &golden::flow("real_nvp_3d_context");
    let rng = &mut generator(9);
    let mut rows =
        |columns| Array2::from_shape_simple_fn((50, columns), || random_latent(1, rng)[0]);
    let (points, context) = (rows(flow.dim), rows(flow.context_dim));
    let rows = Rows {
        points: points.view(),
        context: context.view(),
    };
    let bytes = || quantize(flow, Some(rows)).unwrap().export().unwrap();
    assert!(bytes().bytes() == bytes().bytes());
    assert!(bytes().bytes() != export(flow, Precision::Int8).unwrap().bytes());
}

/// Far rows and rows without a spread.
#[test]
fn rows_of_any_size_calibrate() {
    let flow = &golden::flow("real_nvp_2d");
    for value in [0.0, 1e-30, 1e6, 1e38] {
        let points = Array2::from_elem((3, 2), value);
        let context = Array2::zeros((3, 0));
        let rows = Rows {
            points: points.view(),
            context: context.view(),
        };
        quantize(flow, Some(rows)).unwrap().export().unwrap();
    }
}

#[test]
fn rows_of_another_flow_are_an_error() {
    for name in ["real_nvp_3d_context", "flow_matching_4d_context"] {
        let flow = &golden::flow(name);
        for (dim, context_dim) in [
            (flow.dim + 1, flow.context_dim),
            (flow.dim, flow.context_dim - 1),
        ] {
            let (points, context) = (Array2::zeros((3, dim)), Array2::zeros((3, context_dim)));
            let rows = Rows {
                points: points.view(),
                context: context.view(),
            };
            let error = quantize(flow, Some(rows)).unwrap_err();
            assert!(matches!(error, Error::Runtime(_)), "{name}: {error}");
        }
    }
}

/// Such as a height in metres, which an imported flow may read as it is.
#[test]
fn a_context_in_thousands_costs_no_precision() {
    let mut flow = golden::flow("real_nvp_3d_context");
    let thousands = |c: f32| 3000.0 + 1000.0 * c;
    for first in flow.nets.iter_mut().map(|net| &mut net.layers[0]) {
        for input in first.weight.ncols() - flow.context_dim..first.weight.ncols() {
            let mut weights = first.weight.column_mut(input);
            weights /= 1000.0;
            first.bias.scaled_add(-3000.0, &weights);
        }
    }
    let found = difference_in(&flow, thousands, |model, rng| {
        let (mut x, context) = (random_point(&flow, rng), random_context(&flow, rng));
        let context: Vec<f32> = context.into_iter().map(thousands).collect();
        let flow = model.real_nvp().unwrap();
        flow.forward(&mut x, &context, &mut Scratch::new()).unwrap();
        x
    });
    println!("{found:.5}");
    assert!(found <= NEAR, "{found}");
}
