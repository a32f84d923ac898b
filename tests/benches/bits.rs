//! One digest of the bits of 10,000 samples, and of their log-probabilities, from each core and from
//! this computer, as Markdown.

use std::num::NonZeroU16;

use flowlet_tests::digest::{of_board, of_host};
use flowlet_tests::workload::{default_flow_matching, large_real_nvp};
use flowlet_trainer::board::Board;

const SAMPLES: usize = 10_000;

fn main() {
    let steps = NonZeroU16::new(10);
    let (real_nvp, flow_matching) = (large_real_nvp().file(), default_flow_matching().file());
    let host = [
        of_host(&real_nvp, SAMPLES, None),
        of_host(&flow_matching, SAMPLES, steps),
    ];
    println!("### Digest of {SAMPLES} samples\n");
    println!("| core | RealNVP, with log-probabilities | flow matching, 10 steps |");
    println!("|---|---|---|");
    println!(
        "| this computer | `{:016x}` | `{:016x}` |",
        host[0], host[1]
    );
    for board in Board::QEMU {
        let digests = [
            of_board(board, &real_nvp, SAMPLES, None),
            of_board(board, &flow_matching, SAMPLES, steps),
        ];
        println!(
            "| {board} | `{:016x}` | `{:016x}` |",
            digests[0], digests[1]
        );
        assert_eq!(digests, host, "{board} differs from this computer");
    }
}
