//! Axes that show the bulk of the points.

use std::ops::Range;

use ndarray::{ArrayView1, ArrayView2};

use super::Panel;
use super::bars::densities;

/// What both axes span, and the shape of the plot.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Limits {
    pub(super) x: Range<f64>,
    /// The second column, or the density of a histogram.
    pub(super) y: Range<f64>,
    /// Height over width.
    pub(super) aspect: f64,
}

/// Share of the points beyond each end of an axis before the margin is added.
const TAIL: f64 = 0.002;
/// Added at each end, as a share of the span between the tails.
const MARGIN: f64 = 0.12;
/// Up to this ratio of the spans a unit is as long on both axes.
const EQUAL_UP_TO: f64 = 3.0;
/// Height over width of the plot at most.
const TALLEST: f64 = 1.25;
/// Height over width of a histogram.
const HISTOGRAM_ASPECT: f64 = 0.7;

impl Limits {
    /// Limits by the first panel, or for the heights of bars by all of them.
    pub(super) fn of(panels: &[Panel]) -> Self {
        let first = panels[0].points;
        let x = bulk(first, 0);
        if first.ncols() == 1 {
            let heights = panels.iter().flat_map(|panel| densities(panel.points, &x));
            let highest = heights.fold(f64::MIN_POSITIVE, f64::max);
            return Self {
                x,
                y: 0.0..highest * (1.0 + MARGIN),
                aspect: HISTOGRAM_ASPECT,
            };
        }
        Self::of_plane(x, bulk(first, 1))
    }

    fn of_plane(x: Range<f64>, y: Range<f64>) -> Self {
        let ratio = length(&y) / length(&x);
        if !(1.0 / EQUAL_UP_TO..=EQUAL_UP_TO).contains(&ratio) {
            return Self { x, y, aspect: 1.0 };
        }
        let aspect = ratio.min(TALLEST);
        let x = widened(&x, (length(&y) / aspect - length(&x)) / 2.0);
        Self { x, y, aspect }
    }

    /// How many points are not within the limits; NaN never is.
    pub(super) fn outside(&self, points: ArrayView2<f32>) -> usize {
        let is_inside = |point: &ArrayView1<f32>| {
            let inside_y = point.get(1).is_none_or(|y| self.y.contains(&f64::from(*y)));
            self.x.contains(&f64::from(point[0])) && inside_y
        };
        let rows = points.rows().into_iter();
        rows.filter(|point| !is_inside(point)).count()
    }
}

/// The span of all but the tails of a column, and a margin.
fn bulk(points: ArrayView2<f32>, column: usize) -> Range<f64> {
    let column = points.column(column);
    let mut values: Vec<f32> = column.iter().copied().filter(|x| x.is_finite()).collect();
    values.sort_unstable_by(f32::total_cmp);
    let Some(last) = values.len().checked_sub(1) else {
        return 0.0..1.0;
    };
    let tail = (TAIL * last as f64).round() as usize;
    let span = f64::from(values[tail])..f64::from(values[last - tail]);
    match length(&span) {
        0.0 => widened(&span, 0.5 * span.start.abs().max(1.0)),
        length => widened(&span, MARGIN * length),
    }
}

fn length(range: &Range<f64>) -> f64 {
    range.end - range.start
}

fn widened(range: &Range<f64>, by: f64) -> Range<f64> {
    range.start - by..range.end + by
}
