//! Histograms.

use std::ops::Range;

use ndarray::ArrayView1;

use super::canvas::{Canvas, Colour, Stroke};
use super::frame::Frame;

/// Bins at the least, and where there are very many points.
const FEWEST: usize = 8;
const MOST: usize = 60;
/// How far the colour of bars is from white, so that outlines show on them.
const PALE: f64 = 0.55;
const WHITE: Colour = Colour(255, 255, 255);

/// Twice the cube root of the number of points, by Rice's rule: with more bins, few points make a comb.
pub(super) fn bin_count(points: usize) -> usize {
    let rice = 2.0 * (points as f64).cbrt();
    (rice.round() as usize).clamp(FEWEST, MOST)
}

/// The mean density of a column in each of `bins` bins; points outside count as such.
pub(super) fn densities(column: ArrayView1<f32>, range: &Range<f64>, bins: usize) -> Vec<f64> {
    let width = length(range) / bins as f64;
    let mut densities = vec![0.0; bins];
    for x in column {
        let bin = (f64::from(*x) - range.start) / width;
        if (0.0..bins as f64).contains(&bin) {
            densities[bin as usize] += 1.0 / (column.len() as f64 * width);
        }
    }
    densities
}

/// Draws the densities of the first column as bars, and of others as outlines over them.
pub(super) fn draw(canvas: &mut dyn Canvas, frame: &Frame<'_>, sets: &[(ArrayView1<f32>, Colour)]) {
    let range = &frame.axes.x.range;
    let bins = bin_count(sets.first().map_or(0, |(column, _)| column.len()));
    let width = length(range) / bins as f64;
    let left = |bin: usize| range.start + bin as f64 * width;
    for (i, (column, colour)) in sets.iter().enumerate() {
        let mut outline = vec![];
        for (bin, density) in densities(*column, range, bins).into_iter().enumerate() {
            let upper = [
                frame.place(left(bin), density),
                frame.place(left(bin + 1), density),
            ];
            if i == 0 {
                // Along whole pixels, lest a seam shows.
                let from = upper[0].map(f64::round);
                let to = [upper[1][0].round(), frame.end()[1]];
                canvas.rectangle(from, to, WHITE.towards(*colour, PALE));
            }
            outline.extend(upper);
        }
        if i > 0 {
            canvas.line(&outline, Stroke::solid(*colour, 1.6));
        }
    }
}

fn length(range: &Range<f64>) -> f64 {
    range.end - range.start
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn bars_have_the_area_of_the_points_inside() {
        let points = array![0.0, 0.5, 0.99, 7.0];
        let range = 0.0..3.0;
        let sum: f64 = densities(points.view(), &range, 10).iter().sum();
        let area = sum * 0.3;
        // A sum of three quarters.
        assert!((area - 0.75).abs() < 1e-12, "{area}");
    }

    #[test]
    fn few_points_have_few_bins() {
        let counts = [0, 30, 1000, 10_000, 1_000_000].map(bin_count);
        assert_eq!(counts, [8, 8, 20, 43, 60]);
    }
}
