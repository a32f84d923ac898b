//! Sizes that do not fit: found at each way in, and before a file is written.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::num::NonZeroU16;

use flowlet::{Error, MAX_SCRATCH_LEN, Model, Precision, RealNvp, Scratch, VelocityField};
use flowlet_tests::golden;
use flowlet_tests::random_flow::{Shape, random_flow};
use flowlet_trainer::export::export;
use flowlet_trainer::flow::{Activation, Flow, FlowKind};
use flowlet_trainer::model_file::ModelFile;

/// 3 dimensions, 2 context numbers.
fn real_nvp() -> ModelFile {
    export(&golden::flow("real_nvp_3d_context"), Precision::F32).unwrap()
}

/// 4 dimensions, 3 context numbers.
fn velocity_field() -> ModelFile {
    export(&golden::flow("flow_matching_4d_context"), Precision::F32).unwrap()
}

/// Every method of a RealNVP, on a point, a context and a scratch of these lengths.
fn real_nvp_errors<const LEN: usize>(
    flow: RealNvp<'_>,
    dim: usize,
    context_dim: usize,
) -> [Option<Error>; 5] {
    let (x, context) = (&mut vec![0.0; dim][..], &vec![0.0; context_dim][..]);
    let scratch = &mut Scratch::<LEN>::new();
    [
        flow.forward(x, context, scratch).err(),
        flow.forward_and_log_det(x, context, scratch).err(),
        flow.inverse(x, context, scratch).err(),
        flow.inverse_and_log_det(x, context, scratch).err(),
        flow.log_prob(x, context, scratch).err(),
    ]
}

/// Every method of a velocity field, likewise.
fn velocity_field_errors<const LEN: usize>(
    field: VelocityField<'_>,
    dim: usize,
    context_dim: usize,
) -> [Option<Error>; 2] {
    let (x, v) = (&mut vec![0.0; dim][..], &mut vec![0.0; dim][..]);
    let context = &vec![0.0; context_dim][..];
    let scratch = &mut Scratch::<LEN>::new();
    [
        field.velocity(x, 0.5, context, v, scratch).err(),
        field.euler(x, NonZeroU16::MIN, context, scratch).err(),
    ]
}

/// A sampler's error and a density's.
fn firmware_errors<const DIM: usize, const LEN: usize>(
    model: &Model<'_>,
    context_dim: usize,
) -> [Option<Error>; 2] {
    let context = &vec![0.0; context_dim][..];
    let scratch = &mut Scratch::<LEN>::new();
    let sampler = model.sampler_given::<DIM, _>(context, scratch).err();
    let density = model.density_given::<DIM, _>(context, scratch).err();
    [sampler, density]
}

#[test]
fn a_point_of_another_dimension_is_an_error() {
    let (file, field_file) = (real_nvp(), velocity_field());
    let (model, field_model) = (file.model().unwrap(), field_file.model().unwrap());
    let (flow, field) = (
        model.real_nvp().unwrap(),
        field_model.velocity_field().unwrap(),
    );
    let error = |expected, found| Some(Error::Dim { expected, found });
    for found in [0, 2, 4, 65] {
        let errors = real_nvp_errors::<MAX_SCRATCH_LEN>(flow, found, 2);
        assert_eq!(errors, [error(3, found); 5]);
    }
    for found in [0, 3, 5, 65] {
        let errors = velocity_field_errors::<MAX_SCRATCH_LEN>(field, found, 3);
        assert_eq!(errors, [error(4, found); 2]);
    }
    let errors = firmware_errors::<2, MAX_SCRATCH_LEN>(&model, 2);
    assert_eq!(errors, [error(3, 2); 2]);
    let errors = firmware_errors::<4, MAX_SCRATCH_LEN>(&model, 2);
    assert_eq!(errors, [error(3, 4); 2]);

    let scratch = &mut Scratch::<MAX_SCRATCH_LEN>::new();
    let short = field.velocity(&[0.0; 4], 0.5, &[0.0; 3], &mut [0.0; 3], scratch);
    assert_eq!(short.err(), error(4, 3));
}

#[test]
fn a_context_of_another_length_is_an_error() {
    let (file, field_file) = (real_nvp(), velocity_field());
    let (model, field_model) = (file.model().unwrap(), field_file.model().unwrap());
    let (flow, field) = (
        model.real_nvp().unwrap(),
        field_model.velocity_field().unwrap(),
    );
    let error = |expected, found| Some(Error::Context { expected, found });
    for found in [0, 1, 3] {
        let errors = real_nvp_errors::<MAX_SCRATCH_LEN>(flow, 3, found);
        assert_eq!(errors, [error(2, found); 5]);
        let errors = firmware_errors::<3, MAX_SCRATCH_LEN>(&model, found);
        assert_eq!(errors, [error(2, found); 2]);
    }
    for found in [0, 2, 4] {
        let errors = velocity_field_errors::<MAX_SCRATCH_LEN>(field, 4, found);
        assert_eq!(errors, [error(3, found); 2]);
    }
    let scratch = &mut Scratch::<MAX_SCRATCH_LEN>::new();
    assert_eq!(model.sampler::<3, _>(scratch).err(), error(2, 0));
    assert_eq!(model.density::<3, _>(scratch).err(), error(2, 0));
}

#[test]
fn a_scratch_one_word_short_is_an_error_and_one_that_fits_is_none() {
    let (file, field_file) = (real_nvp(), velocity_field());
    let (model, field_model) = (file.model().unwrap(), field_file.model().unwrap());
    let (flow, field) = (
        model.real_nvp().unwrap(),
        field_model.velocity_field().unwrap(),
    );
    // Twice the widest layer, 8 and 16, and a point.
    assert_eq!((model.scratch_len(), field_model.scratch_len()), (19, 36));
    let error = |expected, found| Some(Error::Scratch { expected, found });
    assert_eq!(real_nvp_errors::<19>(flow, 3, 2), [None; 5]);
    assert_eq!(real_nvp_errors::<18>(flow, 3, 2), [error(19, 18); 5]);
    assert_eq!(real_nvp_errors::<0>(flow, 3, 2), [error(19, 0); 5]);
    assert_eq!(firmware_errors::<3, 19>(&model, 2), [None; 2]);
    assert_eq!(firmware_errors::<3, 18>(&model, 2), [error(19, 18); 2]);
    assert_eq!(velocity_field_errors::<36>(field, 4, 3), [None; 2]);
    assert_eq!(velocity_field_errors::<35>(field, 4, 3), [error(36, 35); 2]);
}

#[test]
fn a_model_of_the_other_kind_is_an_error() {
    let (file, field_file) = (real_nvp(), velocity_field());
    let (model, field_model) = (file.model().unwrap(), field_file.model().unwrap());
    assert_eq!(model.velocity_field().err(), Some(Error::NotVelocityField));
    assert_eq!(field_model.real_nvp().err(), Some(Error::NotRealNvp));
}

/// Within all limits of the format.
const SHAPE: Shape<'_> = Shape {
    whitened: false,
    dim: 2,
    context_dim: 1,
    kind: FlowKind::RealNvp { scale_clip: 2.0 },
    net_count: 2,
    hidden: &[4],
    activation: Activation::Tanh,
};

fn export_message(flow: &Flow) -> Option<String> {
    export(flow, Precision::F32).err().map(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        [Some(error.to_string()), cause]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(": ")
    })
}

fn assert_refused(flow: &Flow, part: &str) {
    let message = export_message(flow).unwrap_or_default();
    assert!(message.contains(part), "{message:?} says not {part:?}");
}

#[test]
fn export_refuses_a_flow_beyond_each_limit() {
    assert_eq!(export_message(&random_flow(SHAPE, 0)), None);
    let beyond = [
        (Shape { dim: 0, ..SHAPE }, "dimension is 0"),
        (Shape { dim: 65, ..SHAPE }, "dimension is 65"),
        (Shape { dim: 256, ..SHAPE }, "dimension is 256"),
        (
            Shape {
                context_dim: 33,
                ..SHAPE
            },
            "context is 33",
        ),
        (
            Shape {
                net_count: 0,
                ..SHAPE
            },
            "no nets",
        ),
        (
            Shape {
                net_count: 33,
                ..SHAPE
            },
            "number of layers is 33",
        ),
        (
            Shape {
                hidden: &[0],
                ..SHAPE
            },
            "width is 0",
        ),
        (
            Shape {
                hidden: &[257],
                ..SHAPE
            },
            "width is 257",
        ),
        (
            Shape {
                hidden: &[4; 8],
                ..SHAPE
            },
            "depth is 9",
        ),
        (
            Shape {
                kind: FlowKind::RealNvp { scale_clip: 0.0 },
                ..SHAPE
            },
            "bound on s",
        ),
        (
            Shape {
                kind: FlowKind::FlowMatching { step_count: 0 },
                net_count: 1,
                ..SHAPE
            },
            "at least one Euler step",
        ),
    ];
    for (shape, part) in beyond {
        assert_refused(&random_flow(shape, 0), part);
    }
}

#[test]
fn export_refuses_nets_that_differ() {
    let mut flow = random_flow(SHAPE, 0);
    let wider = Shape {
        hidden: &[5],
        ..SHAPE
    };
    flow.nets[1] = random_flow(wider, 0).nets[1].clone();
    assert_refused(&flow, "net 1 of the flow has the shape 2-5-2");

    let mut flow = random_flow(SHAPE, 0);
    flow.nets[1].activation = Activation::Elu;
    assert_refused(&flow, "net 1 of the flow");

    let mut flow = random_flow(SHAPE, 0);
    flow.nets.swap(0, 1);
    flow.nets[0].layers.pop();
    assert_refused(&flow, "net 0 of the flow");
}

#[test]
fn export_refuses_numbers_that_do_not_count_up() {
    type Change = fn(&mut Flow);
    let changes: [(Change, &str); 5] = [
        (|flow| flow.mean.push(0.0), "4 means where 3"),
        (
            |flow| {
                flow.std.push(flow.mean[1]);
                flow.mean.truncate(2);
            },
            "2 means where 3",
        ),
        (|flow| flow.std.truncate(1), "1 standard deviations where 3"),
        (
            |flow| flow.nets[0].layers[1].bias = vec![0.0; 3].into(),
            "3 biases in a layer where 2",
        ),
        (|flow| flow.labels.push("a".into()), "4 labels for 3"),
    ];
    for (change, part) in changes {
        let mut flow = random_flow(SHAPE, 0);
        change(&mut flow);
        assert_refused(&flow, part);
    }
}

#[test]
fn export_keeps_a_label_with_a_line_break_to_one_line() {
    let mut flow = random_flow(SHAPE, 0);
    flow.labels[0] = "a\nb".into();
    let file = export(&flow, Precision::F32).unwrap();
    assert_eq!(file.model().unwrap().labels().next(), Some("a b"));
}
