//! Matrices of correlations.

use ndarray::{Array2, ArrayView2, Axis as Along};

use super::canvas::{Anchor, Canvas, Colour};
use super::frame::{Axes, Axis, Frame, INK, label};

/// Colours of 1 and −1; white is 0.
const POSITIVE: Colour = Colour(0x00, 0x58, 0x96);
const NEGATIVE: Colour = Colour(0xd5, 0x5e, 0x00);
const ZERO: Colour = Colour(255, 255, 255);
/// Columns up to which their numbers are written in the cells, and names along the axes.
const WRITTEN: usize = 8;
const NAMED: usize = 16;
/// Characters of a name.
const LONGEST: usize = 12;

/// The correlation of each pair of columns, `[columns, columns]`; NaN where one is constant.
pub fn correlations(points: ArrayView2<f32>) -> Array2<f64> {
    let mut points = points.mapv(f64::from);
    for mut column in points.axis_iter_mut(Along(1)) {
        let mean = column.sum() / column.len() as f64;
        column -= mean;
        let length = column.dot(&column).sqrt();
        column /= length;
    }
    points.t().dot(&points)
}

/// Axes with a column's name, or number, at each cell.
pub(super) fn axes(names: &[String]) -> Axes {
    let count = names.len();
    let tick = |(i, name): (usize, &String)| {
        let name: String = name.chars().take(LONGEST).collect();
        (
            i as f64 + 0.5,
            if count > NAMED {
                (i + 1).to_string()
            } else {
                name
            },
        )
    };
    // Every so manieth, so that numbers do not meet.
    let every = count.div_ceil(NAMED);
    let ticks: Vec<_> = names.iter().enumerate().map(tick).step_by(every).collect();
    let numbers = (0..count)
        .map(|i| (i as f64 + 0.5, (i + 1).to_string()))
        .step_by(every);
    // Names side by side would meet, so there are numbers along the one axis and names along the other.
    let name = |ticks| Axis {
        name: String::new(),
        range: 0.0..count as f64,
        ticks,
    };
    let flipped = ticks
        .into_iter()
        .map(|(at, text)| (count as f64 - at, text));
    Axes {
        x: name(numbers.collect()),
        y: name(flipped.collect()),
        aspect: 1.0,
    }
}

/// Draws the cells, from the upper left.
pub(super) fn draw(canvas: &mut dyn Canvas, frame: &Frame<'_>, matrix: &Array2<f64>) {
    let count = matrix.nrows();
    for ((row, column), value) in matrix.indexed_iter() {
        let corner = |i: usize, j: usize| {
            let place = frame.place(j as f64, (count - i) as f64);
            place.map(f64::round)
        };
        let (from, to) = (corner(row, column), corner(row + 1, column + 1));
        canvas.rectangle(from, to, colour(*value));
        let middle = [(from[0] + to[0]) / 2.0, (from[1] + to[1]) / 2.0];
        if count <= WRITTEN {
            let text = format!("{value:.2}");
            let mut text = label(&text, Anchor::Middle);
            text.colour = if value.abs() > 0.6 { ZERO } else { INK };
            canvas.text(middle, text);
        } else if *value < -0.1 {
            // So that the sign is seen without colours too.
            canvas.text(middle, label("−", Anchor::Middle));
        }
    }
}

fn colour(value: f64) -> Colour {
    let extreme = if value < 0.0 { NEGATIVE } else { POSITIVE };
    let share = if value.is_nan() {
        0.0
    } else {
        value.abs().min(1.0)
    };
    ZERO.towards(extreme, share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn correlations_of_lines_are_one_and_minus_one() {
        let points = array![[1.0, 2.0, 5.0], [2.0, 4.0, 3.0], [3.0, 6.0, 1.0]];
        let expected = [[1.0, 1.0, -1.0], [1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]];
        for ((i, j), found) in correlations(points.view()).indexed_iter() {
            // Sums of three.
            assert!((found - expected[i][j]).abs() < 1e-12, "{i} {j}: {found}");
        }
    }

    #[test]
    fn zero_is_white_and_signs_have_colours() {
        assert_eq!(colour(0.0), ZERO);
        assert_eq!(colour(f64::NAN), ZERO);
        assert_eq!((colour(1.0), colour(-1.0)), (POSITIVE, NEGATIVE));
    }
}
