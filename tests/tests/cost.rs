//! What `flowlet inspect` tells of boards holds for models that it is not fitted to.

use flowlet_tests::workload::held_out;
use flowlet_trainer::board::Board;
use flowlet_trainer::board::cost::Work;

/// With random weights, as the models have that it is fitted to.
const TOLERANCE: f64 = 0.06;

#[test]
fn an_estimate_is_close_for_random_weights() {
    for workload in held_out() {
        let work = Work::of_sample(workload.description());
        for board in Board::QEMU {
            let counted = workload.instructions_per_sample(&workload.counts(board));
            let estimate = work.instructions(board);
            let error = estimate as f64 / counted - 1.0;
            assert!(
                error.abs() <= TOLERANCE,
                "{board}: {estimate} is told, {counted} is counted, of {:?}",
                workload.description()
            );
        }
    }
}
