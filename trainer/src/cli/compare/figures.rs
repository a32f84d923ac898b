//! The pictures of a comparison.

use flowlet::Model;
use flowlet_trainer::inference::log_probs;
use flowlet_trainer::plot::{
    BLUE, Colour, Content, Curve, Curves, Figure, GREEN, Panel, Plane, Scale, VERMILION,
};
use flowlet_trainer::step_count::STEP_COUNTS;
use ndarray::{Array2, Axis, concatenate, s};
use rayon::prelude::*;

use super::super::plot::losses;
use super::{Compared, Judged, table};

/// Pixels that a plot is wide, three in a row on a page.
const PLOT_WIDTH: u32 = 300;
/// Points that are drawn of each set; more tell no more.
const MOST_DRAWN: usize = 5_000;
const COLOURS: [Colour; 2] = [VERMILION, GREEN];

fn figure(columns: usize, panels: Vec<Panel<'_>>) -> String {
    let figure = Figure {
        title: "",
        columns,
        plot_width: PLOT_WIDTH,
        panels,
    };
    figure.svg()
}

/// Points of the data and samples of both models.
pub(super) fn samples(of_set: &Compared) -> String {
    let points = &of_set.reference.data().points;
    let plane = Plane::around(["x", "y"], points.view());
    let sets = of_set
        .models
        .iter()
        .zip(COLOURS)
        .map(|(judged, colour)| (judged.name(), &judged.verdict.evaluation.samples, colour));
    let all = [("data", points, BLUE)].into_iter().chain(sets);
    let panels = all.map(|(caption, points, colour)| {
        let count = points.nrows().min(MOST_DRAWN);
        Panel {
            caption: caption.into(),
            content: Content::Points {
                plane: &plane,
                points: points.slice(s![..count, ..]),
                colour,
                beneath: None,
            },
        }
    });
    figure(3, panels.collect())
}

/// The exact density beside that of the RealNVP.
pub(super) fn densities(of_set: &Compared, model: &Model<'_>) -> anyhow::Result<String> {
    let plane = Plane::around(["x", "y"], of_set.reference.data().points.view());
    let cells = plane.cells();
    let log_density = |i| {
        let cell = [0, 1].map(|axis| f64::from(cells[[i, axis]]));
        of_set.set.log_density(cell) as f32
    };
    let rows = (0..cells.nrows()).into_par_iter();
    let exact: Vec<f32> = rows.map(log_density).collect();
    let learnt = log_probs(model, &cells, &Array2::zeros((cells.nrows(), 0)))?;
    let top = exact.iter().copied().fold(f32::MIN, f32::max).into();
    let panel = |caption: &str, log_density| Panel {
        caption: caption.into(),
        content: Content::Density {
            plane: &plane,
            log_density,
            top,
        },
    };
    let panels = vec![panel("the law itself", &exact), panel("RealNVP", &learnt)];
    Ok(figure(2, panels))
}

/// The ways of the same noise through both models.
pub(super) fn trajectories(of_set: &Compared) -> String {
    // Wide enough for the noise and for the data.
    let ends = of_set.models.iter().flat_map(|judged| &judged.paths);
    let ends: Vec<[f32; 2]> = ends.flatten().copied().collect();
    let noise = Array2::from_shape_fn((ends.len(), 2), |(i, j)| ends[i][j]);
    let data = of_set
        .reference
        .space()
        .standardize(&of_set.reference.data().points);
    let both = concatenate![Axis(0), noise, data];
    let plane = Plane::around(["x, standardized", "y, standardized"], both.view());
    let panels = of_set
        .models
        .iter()
        .zip(COLOURS)
        .map(|(judged, colour)| Panel {
            caption: judged.name().into(),
            content: Content::Paths {
                plane: &plane,
                paths: &judged.paths,
                colour,
            },
        });
    figure(2, panels.collect())
}

/// The losses of both models in training.
pub(super) fn training(of_set: &Compared) -> anyhow::Result<String> {
    let panel = |judged: &Judged| -> anyhow::Result<_> {
        let mut panel = losses(
            &judged.contender.file.model()?,
            &judged.contender.fitted.history,
        );
        panel.caption = judged.name().into();
        Ok(panel)
    };
    let panels: anyhow::Result<Vec<_>> = of_set.models.iter().map(panel).collect();
    Ok(figure(2, panels?))
}

/// Quality against the number of Euler steps, on all sets, with RealNVP as a line for each.
pub(super) fn steps(compared: &[Compared]) -> String {
    let panels = compared.iter().map(|of_set| {
        let [real_nvp, flow_matching] = &of_set.models;
        let mut curves = vec![];
        if let Some(points) = table::ratios(flow_matching) {
            let (name, colour) = (flow_matching.name().into(), GREEN);
            curves.push(Curve {
                name,
                points,
                colour,
            });
        }
        if let Some(of) = real_nvp.verdict.evaluation.distances {
            let level = |steps: u16| [steps.into(), of.energy_distance.ratio()];
            let [first, .., last] = STEP_COUNTS;
            curves.push(Curve {
                name: real_nvp.name().into(),
                points: vec![level(first), level(last)],
                colour: VERMILION,
            });
        }
        Panel {
            caption: of_set.set.name().into(),
            content: Content::Curves(Curves {
                labels: ["Euler steps".into(), "energy distance / floor".into()],
                scales: [Scale::Logarithmic, Scale::Logarithmic],
                curves,
                ticks: STEP_COUNTS[..7]
                    .iter()
                    .map(|steps| f64::from(*steps))
                    .collect(),
            }),
        }
    });
    figure(3, panels.collect())
}
