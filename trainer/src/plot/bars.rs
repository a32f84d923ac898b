//! Histograms.

use std::ops::Range;

use ndarray::ArrayView2;
use plotters::prelude::*;

use super::{Chart, Drawn};

const BINS: usize = 60;

/// The mean density of the first column in each of 60 bins; points outside count as such.
pub(super) fn densities(points: ArrayView2<f32>, range: &Range<f64>) -> Vec<f64> {
    let width = bin_width(range);
    let mut densities = vec![0.0; BINS];
    for x in points.column(0) {
        let bin = (f64::from(*x) - range.start) / width;
        if (0.0..BINS as f64).contains(&bin) {
            densities[bin as usize] += 1.0 / (points.nrows() as f64 * width);
        }
    }
    densities
}

/// Draws the densities as bars.
pub(super) fn draw(
    chart: &mut Chart,
    points: ArrayView2<f32>,
    range: &Range<f64>,
    colour: RGBColor,
) -> Drawn {
    let width = bin_width(range);
    let bar = |(bin, density)| {
        let left = range.start + bin as f64 * width;
        Rectangle::new(
            [(left, 0.0), (left + width, density)],
            colour.mix(0.7).filled(),
        )
    };
    chart.draw_series(densities(points, range).into_iter().enumerate().map(bar))?;
    Ok(())
}

fn bin_width(range: &Range<f64>) -> f64 {
    (range.end - range.start) / BINS as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn bars_have_the_area_of_the_points_inside() {
        let points = array![[0.0], [0.5], [0.99], [7.0]];
        let range = 0.0..3.0;
        let area: f64 = densities(points.view(), &range).iter().sum::<f64>() * bin_width(&range);
        // A sum of three quarters.
        assert!((area - 0.75).abs() < 1e-12, "{area}");
    }
}
