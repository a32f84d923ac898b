//! What the parts of a sample take on each core, fitted to counts: the table of
//! `trainer/src/board/cost.rs`, and how far from the counts it is.

mod least_squares;

use flowlet::Precision;
use flowlet_tests::workload::{Workload, fitted};
use flowlet_trainer::board::Board;
use flowlet_trainer::board::cost::{Part, Work};

const PARTS: usize = Part::ALL.len();

/// How many of each part there are, then whether it is a net alone; and the instructions of all that.
type Row = ([f64; PARTS + 1], f64);

fn main() {
    let workloads = fitted();
    let fits = Board::QEMU.map(|board| {
        let rows: Vec<Row> = workloads.iter().flat_map(|w| count(w, board)).collect();
        let fit = least_squares::fit(&rows);
        let percent = 100.0 * largest_error(&rows, &fit);
        println!(
            "// {}: within {percent:.1} % of what is fitted.",
            board.core()
        );
        fit
    });
    for (i, part) in Part::ALL.iter().enumerate() {
        let instructions = fits.map(|fit| format!("{:.1}", fit[i]));
        println!("    (Part::{part:?}, [{}]),", instructions.join(", "));
    }
}

/// A sample; and an integer net alone, which tells its parts from the others.
fn count(workload: &Workload, board: Board) -> Vec<Row> {
    let counts = workload.counts(board);
    let description = workload.description();
    let row = |work: Work, is_net: bool, instructions| {
        let mut parts = [f64::from(u8::from(is_net)); PARTS + 1];
        for (n, part) in parts.iter_mut().zip(Part::ALL) {
            *n = work.count(part) as f64;
        }
        (parts, instructions)
    };
    let sample = workload.instructions_per_sample(&counts);
    let mut rows = vec![row(Work::of_sample(description), false, sample)];
    if description.net.precision == Precision::Int8 {
        let net = counts.median("net").instructions as f64;
        rows.push(row(Work::of_integer_net(description, 0), true, net));
    }
    rows
}

fn largest_error(rows: &[Row], fit: &[f64; PARTS + 1]) -> f64 {
    let errors = rows.iter().map(|(parts, instructions)| {
        let estimate: f64 = parts.iter().zip(fit).map(|(n, of_one)| n * of_one).sum();
        (estimate / instructions - 1.0).abs()
    });
    errors.fold(0.0, f64::max)
}
