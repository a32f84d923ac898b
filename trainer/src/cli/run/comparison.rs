//! `flowlet run --example compare`.

use anyhow::ensure;
use flowlet::Kind;
use flowlet_protocol::Spent;
use flowlet_trainer::board::{ModelCost, compare};
use flowlet_trainer::model_file::ModelFile;
use serde_json::{Value, json};

use super::super::on_board::with_progress;
use super::super::report::{Report, grouped};
use super::Arguments;

/// Samples that are enough for a mean.
const ENOUGH: u32 = 100;

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    ensure!(
        arguments.output.is_none() && arguments.plot.is_none(),
        "compare tells costs and keeps no samples: leave out --output and --plot"
    );
    let files = arguments.models.iter().map(|path| ModelFile::read(path));
    let files = files.collect::<Result<Vec<_>, _>>()?;
    let models = files.iter().map(ModelFile::model);
    let models = models.collect::<Result<Vec<_>, _>>()?;
    // One that takes steps is enough.
    let steps = models
        .iter()
        .map(|model| arguments.on_board.draw.check_steps(model));
    steps.reduce(Result::or).unwrap_or(Ok(()))?;
    let request = arguments.on_board.request(&models, ENOUGH)?;
    let files: Vec<&ModelFile> = files.iter().collect();
    let costs = with_progress(&request, |progress| {
        compare(arguments.on_board.board, &files, &request, progress)
    })?;
    let mut report = Report::default();
    add_costs(&mut report, arguments, &costs, request.n);
    Ok(report.print(arguments.on_board.json)?)
}

fn add_costs(report: &mut Report, arguments: &Arguments, costs: &[ModelCost], n: u32) {
    let board = arguments.on_board.board;
    report.fact("board", board.name(), "board", board.description());
    report.fact(
        "n",
        n,
        "samples",
        format!("{} of each model, for the mean", grouped(n as usize)),
    );
    let unit = costs.iter().find_map(|cost| cost.sample).map_or("", unit);
    let head = [
        "model",
        "kind",
        "bytes",
        &format!("{unit} a sample"),
        "a log_prob",
    ];
    let mut rows = vec![head.map(String::from)];
    let mut values: Vec<Value> = vec![];
    for (cost, path) in costs.iter().zip(&arguments.models) {
        let facts = &cost.facts;
        let numbers = [cost.sample, cost.log_prob].map(|spent| spent.map(number));
        let [sample, log_prob] = numbers.map(|n| n.map_or("-".into(), |n| grouped(n as usize)));
        rows.push([
            path.display().to_string(),
            kind(facts.kind, arguments),
            grouped(facts.file_len as usize),
            sample,
            log_prob,
        ]);
        values.push(json!({
            "model": path.display().to_string(),
            "name": facts.name.as_str(),
            "bytes": facts.file_len,
            "unit": unit,
            "sample": numbers[0],
            "log_prob": numbers[1],
        }));
    }
    report.table(&rows);
    report.value("models", values);
}

fn kind(kind: Kind, arguments: &Arguments) -> String {
    match kind {
        Kind::RealNvp { layer_count, .. } => format!("RealNVP, {layer_count} couplings"),
        Kind::FlowMatching { step_count } => {
            let step_count = arguments.on_board.draw.steps.unwrap_or(step_count);
            format!("flow matching, {step_count} steps")
        }
    }
}

fn number(spent: Spent) -> u64 {
    match spent {
        Spent::Cycles(n) | Spent::Instructions(n) => n,
    }
}

fn unit(spent: Spent) -> &'static str {
    match spent {
        Spent::Cycles(_) => "cycles",
        Spent::Instructions(_) => "instructions",
    }
}
