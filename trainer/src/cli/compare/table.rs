//! The figures of a comparison, for the terminal, the page and machines.

use flowlet_trainer::evaluation::Measured;
use flowlet_trainer::step_count::STEP_COUNTS;
use serde_json::{Map, Value, json};

use super::super::report::{Report, grouped, number};
use super::{Compared, Judged, key};

/// Rows of cells, the head first.
pub(super) type Table = Vec<Vec<String>>;

/// Adds all tables, and all numbers for machines.
pub(super) fn add(report: &mut Report, compared: &[Compared]) {
    report.table(&costs(compared));
    report.table(&quality(compared));
    report.table(&by_steps(compared));
    for of_set in compared {
        let models = of_set
            .models
            .iter()
            .map(|judged| (key(judged.kind).into(), values(of_set, judged)));
        report.value(of_set.set.name(), Value::Object(models.collect()));
    }
}

/// A row for each model, its first two cells the set and the model.
fn rows(
    compared: &[Compared],
    head: &[&str],
    cells: impl Fn(&Compared, &Judged) -> Vec<String>,
) -> Table {
    let mut table = vec![
        ["data", "model"]
            .iter()
            .chain(head)
            .map(ToString::to_string)
            .collect(),
    ];
    for of_set in compared {
        for judged in &of_set.models {
            let mut row = vec![of_set.set.name().into(), judged.name().into()];
            row.extend(cells(of_set, judged));
            table.push(row);
        }
    }
    table
}

/// What training and sampling cost.
pub(super) fn costs(compared: &[Compared]) -> Table {
    let head = [
        "training",
        "file",
        "nets a sample",
        "multiply-adds a sample",
        "there and back",
    ];
    rows(compared, &head, |_, judged| {
        let verdict = &judged.verdict;
        vec![
            format!("{:.1} s", judged.contender.time.as_secs_f64()),
            format!("{} bytes", grouped(judged.contender.file.bytes().len())),
            grouped(verdict.evaluations),
            grouped(verdict.mac_count),
            format!("{:.1e}", verdict.round_trip.rms),
        ]
    })
}

/// How close models come to the law, each figure of samples as a multiple of its noise floor.
pub(super) fn quality(compared: &[Compared]) -> Table {
    let head = [
        "NLL over exact",
        "sliced W2",
        "energy distance",
        "MMD",
        "C2ST accuracy",
        "between modes",
    ];
    rows(compared, &head, |_, judged| {
        let evaluation = &judged.verdict.evaluation;
        let nll = evaluation.nll.as_ref().zip(evaluation.exact_nll);
        let mut cells = vec![nll.map_or("–".into(), |(nll, exact)| {
            format!("{:+.3}", nll.mean - exact)
        })];
        let ratio = |of: Measured| format!("{:.2} x", of.ratio());
        cells.extend(match evaluation.distances {
            Some(of) => [
                ratio(of.sliced_w2),
                ratio(of.energy_distance),
                ratio(of.squared_mmd),
                format!("{:.3}", of.two_sample_accuracy.value),
            ],
            None => std::array::from_fn(|_| "–".into()),
        });
        cells.push(match &evaluation.modes {
            Some(modes) => format!(
                "{:.2} % (law {:.2} %)",
                100.0 * modes.between.value,
                100.0 * modes.between.floor.mean
            ),
            None => "–".into(),
        });
        cells
    })
}

/// Energy distances over their floor by Euler steps; those of RealNVP, which takes none, in the last column.
pub(super) fn by_steps(compared: &[Compared]) -> Table {
    let mut head = vec!["data".into()];
    head.extend(STEP_COUNTS.map(|count| match count {
        1 => "1 step".into(),
        count => count.to_string(),
    }));
    head.extend(["default".into(), "RealNVP".into()]);
    let mut table = vec![head];
    for of_set in compared {
        let [real_nvp, flow_matching] = &of_set.models;
        let mut row = vec![of_set.set.name().to_owned()];
        let ratios = ratios(flow_matching).into_iter().flatten();
        row.extend(ratios.map(|[_, ratio]| format!("{ratio:.2} x")));
        row.push(match flow_matching.verdict.evaluations {
            1 => "1 step".into(),
            count => format!("{count} steps"),
        });
        let own = real_nvp.verdict.evaluation.distances;
        row.push(own.map_or("–".into(), |of| {
            format!("{:.2} x", of.energy_distance.ratio())
        }));
        table.push(row);
    }
    table
}

/// Step counts, and energy distances over their floor; none for RealNVP.
pub(super) fn ratios(judged: &Judged) -> Option<Vec<[f64; 2]>> {
    let verdict = &judged.verdict;
    let level = verdict.evaluation.distances?.energy_distance.floor.level();
    let distances = verdict.by_steps?;
    let pairs = STEP_COUNTS.into_iter().zip(distances);
    Some(
        pairs
            .map(|(steps, distance)| [steps.into(), distance / level])
            .collect(),
    )
}

/// All numbers of a model.
fn values(of_set: &Compared, judged: &Judged) -> Value {
    let verdict = &judged.verdict;
    let mut values = Map::new();
    let mut add = |key: &str, value: Value| values.insert(key.into(), value);
    add("seconds", number(judged.contender.time.as_secs_f64()));
    add("bytes", judged.contender.file.bytes().len().into());
    add("evaluations", verdict.evaluations.into());
    add("mac_count", verdict.mac_count.into());
    add("round_trip_rms", number(verdict.round_trip.rms));
    add("round_trip_largest", number(verdict.round_trip.largest));
    if let Some(fine) = verdict.fine_round_trip {
        add("round_trip_rms_100_steps", number(fine.rms));
    }
    if let Some(exact) = of_set.reference.exact_nll() {
        add("exact_nll", number(exact));
    }
    if let Some(nll) = &verdict.evaluation.nll {
        add("nll", number(nll.mean));
    }
    let distances = verdict.evaluation.distances.map(|of| {
        [
            ("sliced_w2", of.sliced_w2),
            ("energy_distance", of.energy_distance),
            ("squared_mmd", of.squared_mmd),
            ("two_sample_accuracy", of.two_sample_accuracy),
        ]
    });
    let modes = verdict.evaluation.modes.map(|of| {
        [
            ("between_modes", of.between),
            ("mode_weight_deviation", of.weight_deviation),
        ]
    });
    for (key, of) in distances
        .into_iter()
        .flatten()
        .chain(modes.into_iter().flatten())
    {
        add(key, number(of.value));
        add(&format!("{key}_floor"), number(of.floor.mean));
        add(&format!("{key}_ratio"), number(of.ratio()));
    }
    if let Some(distances) = verdict.by_steps {
        add(
            "by_steps",
            json!({"steps": STEP_COUNTS, "energy_distances": distances}),
        );
    }
    Value::Object(values)
}
