//! The picture of a trained model.

use std::path::Path;

use anyhow::ensure;
use flowlet::{Kind, Model};
use flowlet_trainer::fit::Progress;
use flowlet_trainer::inference::log_probs;
use flowlet_trainer::plot::{
    BLUE, Content, Curve, Curves, Figure, PLOT_WIDTH, Panel, Plane, Scale, VERMILION, correlations,
};
use ndarray::{Array2, ArrayView2};

use super::summary::{axis_labels, kind_name};

/// Columns that have a histogram each; more would be too small to read.
const MOST_HISTOGRAMS: usize = 12;
/// Pixels that a plot is wide where there are many.
const SMALL: u32 = 300;
/// Looks at the validation rows that are left out, as first losses are far from all others.
const FIRST_LOOKS: usize = 2;

/// Draws the data beside samples, and how training went.
///
/// Of one column as a histogram, of two with the density where there is one, and of more as a histogram of
/// each and the correlations.
pub(super) fn draw(
    path: &Path,
    model: &Model<'_>,
    points: &Array2<f32>,
    samples: &Array2<f32>,
    history: &[Progress],
) -> anyhow::Result<()> {
    let title = title(model);
    let names = names(model);
    let plane = (model.dim() == 2).then(|| Plane::around(axis_labels(model), points.view()));
    let density = plane
        .as_ref()
        .map(|plane| density(model, plane))
        .transpose()?
        .flatten();
    let mut panels = match &plane {
        Some(plane) => in_plane(plane, points, samples, density.as_ref()),
        None => in_columns(&names, points, samples),
    };
    panels.push(losses(model, history));
    let (columns, plot_width) = match panels.len() {
        ..=4 => (2, PLOT_WIDTH),
        5..=9 => (3, SMALL),
        _ => (4, SMALL),
    };
    let figure = Figure {
        title: &title,
        columns,
        plot_width,
        panels,
    };
    Ok(figure.write(path)?)
}

/// The model's name and kind, and how many columns are not seen.
fn title(model: &Model<'_>) -> String {
    let title = format!("{}, {}", model.name(), kind_name(model));
    match model.dim() {
        ..=MOST_HISTOGRAMS => title,
        dim => format!("{title}: the first {MOST_HISTOGRAMS} of {dim} columns"),
    }
}

/// That a picture's name ends as its format does, or has no ending.
pub(super) fn check_ending(path: &Path) -> anyhow::Result<()> {
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    ensure!(
        ["", "png", "svg"].contains(&ending.to_ascii_lowercase().as_str()),
        "{} is no picture that can be drawn: choose a name that ends in .png or .svg",
        path.display()
    );
    Ok(())
}

/// The names of the columns, or their numbers.
fn names(model: &Model<'_>) -> Vec<String> {
    let mut labels = model.labels();
    let name = |i| labels.next().map_or_else(|| format!("x{i}"), String::from);
    (0..model.dim()).map(name).collect()
}

/// The log-density of the cells, and its highest value; none for flow matching.
fn density(model: &Model<'_>, plane: &Plane) -> anyhow::Result<Option<(Vec<f32>, f64)>> {
    if matches!(model.kind(), Kind::FlowMatching { .. }) || model.context_dim() > 0 {
        return Ok(None);
    }
    let cells = plane.cells();
    let log_density = log_probs(model, &cells, &Array2::zeros((cells.nrows(), 0)))?;
    let top = log_density.iter().copied().fold(f32::MIN, f32::max).into();
    Ok(Some((log_density, top)))
}

fn in_plane<'a>(
    plane: &'a Plane,
    points: &'a Array2<f32>,
    samples: &'a Array2<f32>,
    density: Option<&'a (Vec<f32>, f64)>,
) -> Vec<Panel<'a>> {
    let cloud = |points: ArrayView2<'a, f32>, colour, beneath| Content::Points {
        plane,
        points,
        colour,
        beneath,
    };
    let mut panels = vec![
        Panel {
            caption: "data".into(),
            content: cloud(points.view(), BLUE, None),
        },
        Panel {
            caption: "samples over data".into(),
            content: cloud(samples.view(), VERMILION, Some(points.view())),
        },
    ];
    panels.extend(density.map(|(log_density, top)| Panel {
        caption: "density, a nat from band to band".into(),
        content: Content::Density {
            plane,
            log_density,
            top: *top,
        },
    }));
    panels
}

fn in_columns<'a>(
    names: &'a [String],
    points: &'a Array2<f32>,
    samples: &'a Array2<f32>,
) -> Vec<Panel<'a>> {
    let histogram = |(i, label): (usize, &'a String)| Panel {
        caption: "data as bars, samples as a line".into(),
        content: Content::Histograms {
            label,
            columns: vec![(points.column(i), BLUE), (samples.column(i), VERMILION)],
        },
    };
    let columns = names.iter().enumerate().take(MOST_HISTOGRAMS);
    let mut panels: Vec<Panel<'a>> = columns.map(histogram).collect();
    if names.len() > 1 {
        panels.extend(
            [("data", points), ("samples", samples)].map(|(what, rows)| Panel {
                caption: format!("correlations of the {what}"),
                content: Content::Correlations {
                    names,
                    matrix: correlations(rows.view()),
                },
            }),
        );
    }
    panels
}

/// The losses at each look at the validation rows.
pub(super) fn losses<'a>(model: &Model<'_>, history: &[Progress]) -> Panel<'a> {
    let unit = match model.kind() {
        Kind::RealNvp { .. } => "nats",
        Kind::FlowMatching { .. } => "mean square",
    };
    let seen = &history[FIRST_LOOKS.min(history.len().saturating_sub(1))..];
    let curve = |name: &str, colour, loss: fn(&Progress) -> f64| Curve {
        name: name.into(),
        points: seen
            .iter()
            .map(|now| [now.step as f64, loss(now)])
            .collect(),
        colour,
    };
    Panel {
        caption: "loss".into(),
        content: Content::Curves(Curves {
            labels: ["step".into(), format!("loss, {unit}")],
            scales: [Scale::Linear, Scale::Linear],
            curves: vec![
                curve("batches", BLUE, |now| now.loss),
                curve("validation", VERMILION, |now| now.validation),
            ],
            ticks: vec![],
        }),
    }
}
