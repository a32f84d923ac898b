//! The counter of instructions counts exactly, on each core.

use flowlet::{Activation, Kind};
use flowlet_tests::counter::{Count, Counts};
use flowlet_tests::random_flow::generator;
use flowlet_tests::random_int8::{self, Size};
use flowlet_trainer::board::Board;
use flowlet_trainer::board::firmware::build;
use flowlet_trainer::model_file::ModelFile;

/// What `firmware-examples/bench/src/proof.rs` does, by its assembly.
const KNOWN: [(&str, Count); 5] = [
    ("block", count(3 + 2 * 500, 0, 0, 0)),
    ("loop", count(2 * 1_000_000, 0, 0, 0)),
    ("copies", count(5 * 64, 64, 64, 0)),
    ("frame", count(4, 1, 1, 256)),
    ("edge", count(1, 0, 0, 0)),
];

const fn count(instructions: u64, loads: u64, stores: u64, stack: u64) -> Count {
    Count {
        instructions,
        loads,
        stores,
        stack,
    }
}

/// A model whose net takes far longer than its noise.
fn model() -> ModelFile {
    let kind = Kind::FlowMatching {
        step_count: std::num::NonZeroU16::MIN,
    };
    let description = random_int8::description(1, 0, kind, &[32, 32], Activation::Elu);
    let bytes = random_int8::file(&description, Size::Usual, &mut generator(1));
    ModelFile::from_bytes("counted", &bytes)
}

#[test]
fn what_is_known_is_counted_exactly() {
    for board in Board::QEMU {
        let program = build(board, "bench", Some(&model())).unwrap();
        let counts = Counts::of(board, &program, "proof");
        for (name, known) in KNOWN {
            assert_eq!(counts.all(name), [known], "{name} on {board}");
        }
        // A sample is its one step, and noise: neither is half of the other.
        let [sample, step] = ["sample", "euler_step"].map(|name| counts.median(name));
        let near = step.instructions / 2..2 * step.instructions;
        assert!(near.contains(&sample.instructions), "{board}: {counts:?}");
        // A call keeps at least its return address and two registers.
        assert!((12..4096).contains(&sample.stack), "{board}: {sample:?}");
    }
}
