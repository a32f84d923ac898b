//! What a board gives is what this computer gives, to the bit.

#![expect(clippy::unwrap_used, reason = "a test may fail")]
use std::cmp::Ordering;
use std::num::NonZeroU16;
use std::path::Path;

use flowlet::Precision;
use flowlet_trainer::board::{Board, BoardRun, Difference, Request, run};
use flowlet_trainer::export::export;
use flowlet_trainer::flow::Flow;
use flowlet_trainer::import::import;
use flowlet_trainer::model_file::ModelFile;
use ndarray::Array2;

const SAMPLES: u32 = 256;

/// A net small enough for a core whose every multiply-add takes 300 instructions.
fn flow(name: &str) -> Flow {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    import(&path.join(name).with_extension("safetensors")).unwrap()
}

fn model_file(name: &str) -> ModelFile {
    export(&flow(name), Precision::F32).unwrap()
}

fn assert_equal_bits(board: Board, name: &str, step_count: Option<u16>, context: &[f32]) {
    let outcome = run_and_compare(board, &model_file(name), SAMPLES, step_count, context);
    assert!(outcome.samples.iter().all(|x| x.is_finite()));
}

fn run_and_compare(
    board: Board,
    file: &ModelFile,
    n: u32,
    step_count: Option<u16>,
    context: &[f32],
) -> BoardRun {
    let model = file.model().unwrap();
    let request = Request {
        seed: 1,
        step_count: step_count.and_then(NonZeroU16::new),
        context: context.to_vec(),
        ..Request::new(n)
    };
    let outcome = run(board, file, &request, &mut |_| ()).unwrap();

    assert_eq!(outcome.samples.nrows(), n as usize);
    let equal = outcome.has_bits_of_host(&model, &request).unwrap();
    assert!(equal, "{} on {board}", model.name());
    outcome
}

/// Each board on its own, so that they run side by side.
macro_rules! boards {
    ($($name:ident: $board:ident,)*) => {$(
        mod $name {
            use super::{Board, assert_equal_bits};

            #[test]
            fn real_nvp_has_equal_bits() {
                assert_equal_bits(Board::$board, "real_nvp_5d", None, &[]);
                assert_equal_bits(Board::$board, "real_nvp_3d_context", None, &[0.25, -1.5]);
            }

            #[test]
            fn flow_matching_has_equal_bits() {
                let context = [0.5, -0.25, 1.0];
                assert_equal_bits(Board::$board, "flow_matching_4d_context", Some(10), &context);
            }
        }
    )*};
}

boards! {
    qemu_m0: QemuM0,
    qemu_m3: QemuM3,
    qemu_m4: QemuM4,
    qemu_m7: QemuM7,
    qemu_m33: QemuM33,
    qemu_rv32: QemuRv32,
}

/// With a factor, sums of the transform are as many as of a net.
#[test]
fn a_whitened_model_has_equal_bits() {
    let mut couplings = flow("real_nvp_5d");
    let shape = (couplings.dim, couplings.dim);
    couplings.factor = Some(Array2::from_shape_fn(shape, |(i, j)| match i.cmp(&j) {
        Ordering::Less => 0.0,
        Ordering::Equal => 0.7,
        Ordering::Greater => 0.3 - 0.1 * (i + j) as f32,
    }));
    for board in [Board::QemuM0, Board::QemuM4, Board::QemuRv32] {
        for precision in [Precision::F32, Precision::Int8] {
            let file = export(&couplings, precision).unwrap();
            let outcome = run_and_compare(board, &file, 32, None, &[]);
            assert!(outcome.samples.iter().all(|x| x.is_finite()));
        }
    }
}

/// An x86 gives NaNs with the sign bit set, Arm and RISC-V cores and soft floats without.
#[test]
fn what_is_not_a_number_has_equal_bits() {
    for board in [Board::QemuM0, Board::QemuM4, Board::QemuRv32] {
        let mut field = flow("flow_matching_2d");
        field.nets[0].layers[2].bias.fill(f32::MAX);
        let file = export(&field, Precision::F32).unwrap();
        let outcome = run_and_compare(board, &file, 4, Some(8), &[]);
        assert!(outcome.samples.iter().all(|x| x.is_nan()));

        let mut couplings = flow("real_nvp_2d");
        couplings.nets[2].layers[1].bias.fill(f32::MAX);
        couplings.nets[2].layers[2].weight.fill(f32::MAX);
        let file = export(&couplings, Precision::F32).unwrap();
        let outcome = run_and_compare(board, &file, 4, None, &[]);
        assert!(outcome.log_probs.unwrap().iter().any(|p| p.is_nan()));
    }
}

#[test]
fn a_bit_that_differs_is_found() {
    let file = model_file("real_nvp_2d");
    let mut outcome = run_and_compare(Board::QemuM4, &file, 4, None, &[]);
    let model = file.model().unwrap();
    let request = Request {
        seed: 1,
        ..Request::new(4)
    };
    let host = outcome.samples[[2, 1]];
    outcome.samples[[2, 1]] = f32::from_bits(host.to_bits() ^ 1);
    let board = outcome.samples[[2, 1]];
    let expected = Difference {
        row: 2,
        column: 1,
        board,
        host,
    };
    let found = outcome.first_difference(&model, &request).unwrap();
    assert_eq!(found, Some(expected));
}
