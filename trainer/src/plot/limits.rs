//! Axes that show the bulk of the points.

use std::ops::Range;

use ndarray::{ArrayView1, ArrayView2};

use super::bars::{bin_count, densities};

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
    /// Limits of the first two columns, by the first set alone.
    pub(super) fn of(points: ArrayView2<f32>) -> Self {
        Self::of_plane(bulk(points.column(0)), bulk(points.column(1)))
    }

    /// Limits of histograms: along by the first set, and as high as the highest bar of all.
    pub(super) fn of_columns(columns: &[ArrayView1<f32>]) -> Self {
        let x = bulk(columns[0]);
        let bins = bin_count(columns[0].len());
        let heights = columns
            .iter()
            .flat_map(|column| densities(*column, &x, bins));
        let highest = heights.fold(f64::MIN_POSITIVE, f64::max);
        Self {
            x,
            y: 0.0..highest * (1.0 + MARGIN),
            aspect: HISTOGRAM_ASPECT,
        }
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
            let inside_y = self.y.contains(&f64::from(point[1]));
            self.x.contains(&f64::from(point[0])) && inside_y
        };
        let rows = points.rows().into_iter();
        rows.filter(|point| !is_inside(point)).count()
    }
}

/// The span of all but the tails of a column, and a margin.
fn bulk(column: ArrayView1<f32>) -> Range<f64> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, Array2, array};

    fn limits(points: &Array2<f32>) -> Limits {
        Limits::of(points.view())
    }

    /// A full rectangle of the given sides.
    fn rectangle(width: f32, height: f32) -> Array2<f32> {
        array![[0.0, 0.0], [width, height], [width, 0.0], [0.0, height]]
    }

    /// Rounding of a few sums, relative.
    const TOLERANCE: f64 = 1e-12;

    #[test]
    fn a_unit_is_as_long_on_both_axes() {
        for (width, height) in [(1.0, 1.0), (2.0, 1.0), (1.0, 2.5)] {
            let limits = limits(&rectangle(width, height));
            let error = length(&limits.x) * limits.aspect - length(&limits.y);
            assert!(error.abs() < TOLERANCE, "{limits:?}");
            assert!(limits.aspect <= TALLEST);
            assert_eq!(limits.outside(rectangle(width, height).view()), 0);
        }
    }

    #[test]
    fn far_longer_axis_has_its_own_unit() {
        let limits = limits(&rectangle(1.0, 1000.0));
        assert_eq!(limits.aspect, 1.0);
        let ratio = length(&limits.y) / length(&limits.x) / 1000.0;
        assert!((ratio - 1.0).abs() < TOLERANCE, "{limits:?}");
    }

    #[test]
    fn stray_points_do_not_stretch_the_axes() {
        let mut points = Array2::from_shape_fn((1000, 2), |(i, _)| i as f32 / 1000.0);
        points.row_mut(17).fill(1e6);
        let limits = limits(&points);
        assert!(length(&limits.x) < 1.3, "{limits:?}");
        assert_eq!(limits.outside(points.view()), 1);
    }

    #[test]
    fn highest_bar_of_all_columns_fits() {
        let spread = Array1::from_shape_fn(100, |i| i as f32);
        let peak = Array1::from_elem(100, 50.0);
        let limits = Limits::of_columns(&[spread.view(), peak.view()]);
        let highest = densities(peak.view(), &limits.x, bin_count(100));
        assert!(highest.iter().all(|height| limits.y.contains(height)));
        assert!(limits.x.end > 90.0, "{limits:?}");
    }
}
