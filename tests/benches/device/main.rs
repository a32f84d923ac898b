//! What models take on each core, counted in QEMU and read from the programs, as Markdown.

mod table;

use flowlet::Kind;
use flowlet_tests::firmware_size::{PROFILES, Size};
use flowlet_tests::workload::{
    NORMALS, Workload, default_flow_matching, default_real_nvp, large_real_nvp, nets,
};
use flowlet_trainer::board::Board;

use table::{Table, grouped};

fn main() {
    println!("{}", nets_alone());
    for workload in [
        large_real_nvp(),
        default_real_nvp(),
        default_flow_matching(),
    ] {
        println!("{}", whole_model(&workload));
    }
    println!("{}", memory(&default_real_nvp()));
}

/// One evaluation of each net, from and to its fixed point.
fn nets_alone() -> Table {
    let nets = nets();
    let mut table =
        Table::new("One evaluation of a net: instructions (a multiply-add), loads, stack");
    table.head("core", nets.iter().map(|net| net.title));
    for board in Board::QEMU {
        table.row(
            board.core(),
            nets.iter().map(|net| {
                let count = net.counts(board).median("net");
                format!(
                    "{} ({:.2}), {}, {}",
                    grouped(count.instructions),
                    count.instructions as f64 / net.macs_per_net() as f64,
                    grouped(count.loads),
                    count.stack
                )
            }),
        );
    }
    table
}

/// What a model is used for.
fn whole_model(workload: &Workload) -> Table {
    let (operation, macs_per_sample) = match workload.kind() {
        Kind::RealNvp { .. } => ("log_prob", workload.macs()),
        Kind::FlowMatching { step_count } => {
            ("euler_step", workload.macs() * u64::from(step_count.get()))
        }
    };
    let mut table = Table::new(&format!(
        "{}: {} multiply-adds a sample",
        workload.title,
        grouped(macs_per_sample)
    ));
    let name = operation.replace('_', " ");
    table.head(
        "core",
        [
            "sample",
            "a multiply-add",
            "loads",
            &name,
            "a multiply-add",
            "normal",
            "load of the model",
            "stack of a sample",
            "of the load",
        ],
    );
    for board in Board::QEMU {
        let counts = workload.counts(board);
        let [sample, operation, load] =
            ["sample", operation, "load"].map(|name| counts.median(name));
        let normal = counts.median("normals").instructions as f64 / f64::from(NORMALS);
        table.row(
            board.core(),
            [
                grouped(sample.instructions),
                format!("{:.2}", sample.instructions as f64 / macs_per_sample as f64),
                grouped(sample.loads),
                grouped(operation.instructions),
                format!(
                    "{:.2}",
                    operation.instructions as f64 / workload.macs() as f64
                ),
                format!("{normal:.0}"),
                grouped(load.instructions),
                sample.stack.to_string(),
                load.stack.to_string(),
            ],
        );
    }
    table
}

/// Flash and RAM of the least firmware that samples the model, by the profile it is built in.
fn memory(workload: &Workload) -> Table {
    let mut table = Table::new(&format!(
        "Bytes of the least firmware that samples {}",
        workload.title
    ));
    let columns = [
        "profile",
        "code",
        "tables",
        "model",
        "static RAM",
        "stack",
        "scratch",
    ];
    table.head("core", columns);
    for (board, profile) in Board::QEMU
        .into_iter()
        .flat_map(|board| PROFILES.map(|profile| (board, profile)))
    {
        let size = Size::of(board, profile, workload);
        let numbers = [
            size.code,
            size.tables,
            size.model,
            size.variables,
            size.stack,
            size.scratch,
        ];
        let cells = [profile.into()].into_iter().chain(numbers.map(grouped));
        table.row(board.core(), cells);
    }
    table
}
