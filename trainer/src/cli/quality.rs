//! How good a model is: what `train` and `evaluate` tell.

use flowlet_trainer::evaluation::{
    Baselines, Evaluation, FLOOR_DRAWS, MOST_PAIRED, Measured, NoiseFloor, Reference,
};
use flowlet_trainer::metrics::RowSpread;
use flowlet_trainer::quantize::Pair;

use super::calibration::add_nats;
use super::report::{Report, grouped, number};

/// A model that is held against a reference, or one of its forms.
pub(super) struct Form<'a> {
    /// What its columns are called: `int8`, `f32`.
    pub(super) name: &'a str,
    pub(super) evaluation: &'a Evaluation,
}

/// Adds all figures of the forms of a model, the one that matters first.
///
/// `points` says what the reference's points are: `fresh points of moons`, `rows of imu.csv`.
pub(super) fn add_quality(
    report: &mut Report,
    reference: &Reference,
    forms: &[Form<'_>],
    baselines: Option<&Baselines>,
    points: &str,
) {
    let count = reference.data().points.nrows();
    let points = format!("{} {points}", grouped(count));
    report.fact("points", count, "held against", &points);
    add_loss(report, forms, &points);
    add_likelihoods(report, reference, forms, baselines);
    add_distances(report, reference, forms);
}

/// Adds what `int8` loses beside `f32`, where those are the forms.
fn add_loss(report: &mut Report, forms: &[Form<'_>], points: &str) {
    let nll = |name: &str| {
        let form = forms.iter().find(|form| form.name == name)?;
        form.evaluation.nll.as_ref().map(|nll| nll.mean)
    };
    if let (Some(f32), Some(int8)) = (nll("f32"), nll("int8")) {
        add_nats(report, &Pair { f32, int8 }, points);
    }
}

fn add_likelihoods(
    report: &mut Report,
    reference: &Reference,
    forms: &[Form<'_>],
    baselines: Option<&Baselines>,
) {
    let Some(nll) = forms.first().and_then(|form| form.evaluation.nll) else {
        return;
    };
    add_spread(report, "nll", &nll);
    let nlls = forms.iter().filter_map(|form| {
        let nll = form.evaluation.nll?;
        Some((form.name.to_owned(), nll))
    });
    let mut rows: Vec<(String, RowSpread)> = nlls.collect();
    if let Some(baselines) = baselines {
        add_spread(report, "gaussian_nll", &baselines.gaussian);
        add_spread(report, "mixture_nll", &baselines.mixture);
        report.value("mixture_components", baselines.component_count);
        rows.push(("single Gaussian".into(), baselines.gaussian));
        let name = match baselines.component_count {
            1 => "mixture of Gaussians, best with 1".into(),
            count => format!("mixture of {count} Gaussians"),
        };
        rows.push((name, baselines.mixture));
    }
    match reference.exact_nll() {
        Some(exact) => {
            report.value("exact_nll", number(exact));
            report.table(&beside_exact(&rows, exact));
        }
        None => {
            add_carriers(report, &nll);
            report.table(&beside_median(&rows));
        }
    }
}

/// Adds how few rows the mean depends on.
fn add_carriers(report: &mut Report, nll: &RowSpread) {
    let text = if nll.mean.is_finite() {
        format!(
            "{} of {} rows carry the mean: they make up half of all that lies above the median",
            grouped(nll.carriers),
            grouped(nll.rows)
        )
    } else {
        "rows lie farther out than 32-bit numbers reach: leave those out for a mean".into()
    };
    report.fact("nll_carriers", nll.carriers, "carriers", text);
}

fn add_spread(report: &mut Report, key: &str, spread: &RowSpread) {
    report.value(key, number(spread.mean));
    report.value(&format!("{key}_median"), number(spread.median));
    report.value(&format!("{key}_carriers"), spread.carriers);
    let without = number(spread.mean_without_carriers);
    report.value(&format!("{key}_without_carriers"), without);
}

fn beside_exact(rows: &[(String, RowSpread)], exact: f64) -> Vec<[String; 3]> {
    let row = |(name, nll): &(String, RowSpread)| {
        let above = format!("{:+.4}", nll.mean - exact);
        [name.clone(), format!("{:.4}", nll.mean), above]
    };
    let mut table = vec![["nats a row", "mean", "above exact"].map(String::from)];
    table.extend(rows.iter().map(row));
    let exact_row = [
        "the law's own density".into(),
        format!("{exact:.4}"),
        "+0".into(),
    ];
    table.push(exact_row);
    table
}

fn beside_median(rows: &[(String, RowSpread)]) -> Vec<[String; 5]> {
    let row = |(name, nll): &(String, RowSpread)| {
        let figures = [nll.mean, nll.median, nll.mean_without_carriers];
        let [mean, median, rest] = figures.map(|nats| format!("{nats:.4}"));
        [name.clone(), mean, median, grouped(nll.carriers), rest]
    };
    let head = ["nats a row", "mean", "median", "carriers", "without them"];
    let mut table = vec![head.map(String::from)];
    table.extend(rows.iter().map(row));
    table
}

/// A figure of samples: its key and label, its digits, and where to find it.
struct Figure {
    key: &'static str,
    label: &'static str,
    digits: usize,
    of: fn(&Evaluation) -> Option<Measured>,
}

const FIGURES: [Figure; 6] = [
    Figure {
        key: "sliced_w2",
        label: "sliced W2",
        digits: 4,
        of: |evaluation| Some(evaluation.distances?.sliced_w2),
    },
    Figure {
        key: "energy_distance",
        label: "energy distance",
        digits: 5,
        of: |evaluation| Some(evaluation.distances?.energy_distance),
    },
    Figure {
        key: "squared_mmd",
        label: "squared MMD",
        digits: 6,
        of: |evaluation| Some(evaluation.distances?.squared_mmd),
    },
    Figure {
        key: "two_sample_accuracy",
        label: "told apart (C2ST)",
        digits: 4,
        of: |evaluation| Some(evaluation.distances?.two_sample_accuracy),
    },
    Figure {
        key: "between_modes",
        label: "between the modes",
        digits: 4,
        of: |evaluation| Some(evaluation.modes?.between),
    },
    Figure {
        key: "mode_weight_deviation",
        label: "mode weights off by",
        digits: 4,
        of: |evaluation| Some(evaluation.modes?.weight_deviation),
    },
];

fn add_distances(report: &mut Report, reference: &Reference, forms: &[Form<'_>]) {
    let compared = grouped(reference.compared());
    let paired = grouped(reference.compared().min(MOST_PAIRED));
    let text = match (reference.compared(), reference.exact_nll()) {
        (0, _) => "no samples, as there are too few rows".into(),
        (_, Some(_)) => format!(
            "{compared} samples with as many points (MMD and C2ST: {paired}); floor: as many independent \
             points of the law, {FLOOR_DRAWS} draws"
        ),
        (_, None) => format!(
            "{compared} samples with half of the rows; floor: the other half, {FLOOR_DRAWS} partings"
        ),
    };
    report.fact("compared", reference.compared(), "compared", text);
    let mut table = vec![head(forms)];
    for figure in &FIGURES {
        let measured: Vec<_> = forms
            .iter()
            .filter_map(|form| Some((form.name, (figure.of)(form.evaluation)?)))
            .collect();
        if let Some((_, first)) = measured.first() {
            add_values(report, figure.key, &measured);
            table.push(row(figure, &measured, first));
        }
    }
    if table.len() > 1 {
        report.table(&table);
    }
}

fn head(forms: &[Form<'_>]) -> Vec<String> {
    let names = forms.iter().map(|form| form.name);
    let first = std::iter::once("standardized");
    let rest = ["floor", "", "ratio", "deviations above"];
    first.chain(names).chain(rest).map(String::from).collect()
}

fn row(figure: &Figure, measured: &[(&str, Measured)], first: &Measured) -> Vec<String> {
    let digits = figure.digits;
    let NoiseFloor { mean, std } = first.floor;
    let mut row = vec![figure.label.to_owned()];
    row.extend(
        measured
            .iter()
            .map(|(_, of)| format!("{:.digits$}", of.value)),
    );
    row.push(format!("{mean:.digits$}"));
    row.push(format!("± {std:.digits$}"));
    row.push(format!("{:.2}", first.ratio()));
    row.push(format!("{:+.1}", first.deviations()));
    row
}

fn add_values(report: &mut Report, key: &str, measured: &[(&str, Measured)]) {
    let Some((_, first)) = measured.first() else {
        return;
    };
    report.value(key, number(first.value));
    for (suffix, value) in [
        ("floor", first.floor.mean),
        ("floor_std", first.floor.std),
        ("ratio", first.ratio()),
        ("deviations", first.deviations()),
    ] {
        report.value(&format!("{key}_{suffix}"), number(value));
    }
    if measured.len() > 1 {
        for (name, of) in measured {
            report.value(&format!("{key}_{name}"), number(of.value));
        }
    }
}
