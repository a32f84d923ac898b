//! Histograms.

use std::ops::Range;

use ndarray::ArrayView1;

use super::canvas::{Canvas, Colour, Stroke};
use super::frame::Frame;

const BINS: usize = 60;
/// How far the colour of bars is from white, so that outlines show on them.
const PALE: f64 = 0.55;
const WHITE: Colour = Colour(255, 255, 255);

/// The mean density of a column in each of 60 bins; points outside count as such.
pub(super) fn densities(column: ArrayView1<f32>, range: &Range<f64>) -> Vec<f64> {
    let width = bin_width(range);
    let mut densities = vec![0.0; BINS];
    for x in column {
        let bin = (f64::from(*x) - range.start) / width;
        if (0.0..BINS as f64).contains(&bin) {
            densities[bin as usize] += 1.0 / (column.len() as f64 * width);
        }
    }
    densities
}

/// Draws the densities of the first column as bars, and of others as outlines over them.
pub(super) fn draw(canvas: &mut dyn Canvas, frame: &Frame<'_>, sets: &[(ArrayView1<f32>, Colour)]) {
    let range = &frame.axes.x.range;
    let width = bin_width(range);
    let left = |bin: usize| range.start + bin as f64 * width;
    for (i, (column, colour)) in sets.iter().enumerate() {
        let mut outline = vec![];
        for (bin, density) in densities(*column, range).into_iter().enumerate() {
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

fn bin_width(range: &Range<f64>) -> f64 {
    (range.end - range.start) / BINS as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn bars_have_the_area_of_the_points_inside() {
        let points = array![0.0, 0.5, 0.99, 7.0];
        let range = 0.0..3.0;
        let area: f64 = densities(points.view(), &range).iter().sum::<f64>() * bin_width(&range);
        // A sum of three quarters.
        assert!((area - 0.75).abs() < 1e-12, "{area}");
    }
}
