//! The integer kernels: each target's gives what the definition gives.

use std::time::Duration;

use flowlet_tests::random_layer::{Comparison, LAYER_COUNT};
use flowlet_trainer::board::{Board, Launch, firmware, run_program};

/// It takes seconds; this is for a busy machine.
const TIME_LIMIT: Duration = Duration::from_secs(300);

fn hash() -> u32 {
    let result = Comparison::new().run(0..LAYER_COUNT, |layer, x, out| layer.by_target(x, out));
    result.unwrap_or_else(|difference| panic!("{difference}"))
}

#[test]
fn this_computers_kernel_gives_the_definitions_bits() {
    hash();
}

/// The board compares its kernel with the definition, and the registers that a call keeps before and
/// after; the hash shows that its definition is ours.
#[test]
fn each_boards_kernel_gives_the_definitions_bits() {
    let expected = format!(
        "{LAYER_COUNT} layers alike, hash {:08x}, registers kept\n",
        hash()
    );
    for board in Board::QEMU {
        let program = firmware::build(board, "kernels", None).unwrap();
        let launch = Launch {
            program: &program.path(),
            image: &[],
            input: "",
            plugin: None,
            limit: TIME_LIMIT,
        };
        let output = run_program(board, &launch).unwrap();
        assert_eq!(String::from_utf8_lossy(&output), expected, "{board}");
    }
}
