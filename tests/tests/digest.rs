//! Integer models give equal bits on all boards and on this computer: a digest of all of them is
//! compared. `cargo xtask bench bits` does the same with more samples.

use std::num::NonZeroU16;

use flowlet_tests::digest::{of_board, of_host};
use flowlet_tests::workload::{Workload, default_flow_matching, large_real_nvp};
use flowlet_trainer::board::Board;

const SAMPLES: usize = 500;

#[track_caller]
fn assert_equal_bits(workload: &Workload, step_count: Option<NonZeroU16>) {
    let file = workload.file();
    let expected = of_host(&file, SAMPLES, step_count);
    for board in Board::QEMU {
        let found = of_board(board, &file, SAMPLES, step_count);
        assert_eq!(found, expected, "{} on {board}", workload.title);
    }
}

#[test]
fn real_nvp_has_equal_bits() {
    assert_equal_bits(&large_real_nvp(), None);
}

#[test]
fn flow_matching_has_equal_bits() {
    assert_equal_bits(&default_flow_matching(), NonZeroU16::new(10));
}
