//! Points, densities and paths in two dimensions, on common axes.

use ndarray::{Array2, ArrayView2};

use super::canvas::{Canvas, Colour, Stroke};
use super::frame::{Axes, Axis, Frame};
use super::limits::Limits;

/// The part of the plane that pictures show.
#[derive(Clone, Debug)]
pub struct Plane {
    labels: [String; 2],
    limits: Limits,
}

/// Cells of a density along one axis and the other.
const CELLS: usize = 140;
/// Bands of a density, each a nat below the one before.
const BANDS: usize = 9;
/// Colours of the highest band, one between, and of what is below all bands.
const DENSE: Colour = Colour(0x08, 0x2a, 0x5c);
const HALFWAY: Colour = Colour(0x3f, 0x8f, 0xc8);
const EMPTY: Colour = Colour(0xff, 0xff, 0xff);

impl Plane {
    /// The plane where the bulk of the points is, in the first two columns.
    ///
    /// A unit is as long on both axes, unless points spread over three times as far on the one as on the
    /// other.
    pub fn around(labels: [&str; 2], points: ArrayView2<f32>) -> Self {
        Self {
            labels: labels.map(String::from),
            limits: Limits::of(points),
        }
    }

    /// The middles of the cells that a [`Density`](super::Content::Density) is drawn of: `[19600, 2]`.
    pub fn cells(&self) -> Array2<f32> {
        let Limits { x, y, .. } = &self.limits;
        Array2::from_shape_fn((CELLS * CELLS, 2), |(cell, axis)| {
            let (range, index) = [(x, cell % CELLS), (y, cell / CELLS)][axis];
            let share = (index as f64 + 0.5) / CELLS as f64;
            (range.start + share * (range.end - range.start)) as f32
        })
    }

    pub(super) fn axes(&self) -> Axes {
        let [x, y] = &self.labels;
        Axes {
            x: Axis::new(x, self.limits.x.clone()),
            y: Axis::new(y, self.limits.y.clone()),
            aspect: self.limits.aspect,
        }
    }

    /// How many of the points are not seen.
    pub(super) fn outside(&self, points: ArrayView2<f32>) -> usize {
        self.limits.outside(points)
    }
}

/// Radius in pixels and opacity of a dot: smaller and fainter the more there are, so that density shows.
fn dot(count: usize) -> (f64, f64) {
    let crowd = (count.max(1) as f64 / 100.0).log10().clamp(0.0, 3.0);
    (2.8 - 0.8 * crowd, 0.85 - 0.2 * crowd)
}

/// Draws the first two columns.
pub(super) fn draw_points(
    canvas: &mut dyn Canvas,
    frame: &Frame<'_>,
    points: ArrayView2<f32>,
    colour: Colour,
) {
    let place =
        |point: ndarray::ArrayView1<f32>| frame.place_inside(point[0].into(), point[1].into());
    let centres: Vec<_> = points.rows().into_iter().filter_map(place).collect();
    let (radius, opacity) = dot(points.nrows());
    canvas.discs(&centres, radius, colour, opacity);
}

/// Draws a log-density at the middles of the cells in bands of a nat below `top`.
pub(super) fn draw_density(
    canvas: &mut dyn Canvas,
    frame: &Frame<'_>,
    log_density: &[f32],
    top: f64,
) {
    // Along whole pixels, as cells that share one would let the ground shine through.
    let edge = |axis: usize, index: usize| {
        let share = index as f64 / CELLS as f64;
        (frame.corner[axis] + share * frame.size[axis]).round()
    };
    for (j, row) in log_density.chunks(CELLS).enumerate() {
        let (above, below) = (edge(1, CELLS - 1 - j), edge(1, CELLS - j));
        let mut first = 0;
        for run in row.chunk_by(|a, b| band(*a, top) == band(*b, top)) {
            let end = first + run.len();
            if let Some(band) = band(run[0], top) {
                canvas.rectangle([edge(0, first), above], [edge(0, end), below], shade(band));
            }
            first = end;
        }
    }
}

/// How many whole nats below `top`; none below all bands, or where it is not a number.
fn band(log_density: f32, top: f64) -> Option<usize> {
    let below = top - f64::from(log_density);
    (below < BANDS as f64).then_some(below.max(0.0) as usize)
}

fn shade(band: usize) -> Colour {
    let share = 2.0 * band as f64 / BANDS as f64;
    match share {
        0.0..1.0 => DENSE.towards(HALFWAY, share),
        _ => HALFWAY.towards(EMPTY, share - 1.0),
    }
}

/// Draws a path of each point of noise, with a ring where it begins and a disc where it ends.
pub(super) fn draw_paths(
    canvas: &mut dyn Canvas,
    frame: &Frame<'_>,
    paths: &[Vec<[f32; 2]>],
    colour: Colour,
) {
    let place = |point: &[f32; 2]| frame.place_inside(point[0].into(), point[1].into());
    let stroke = Stroke {
        opacity: 0.45,
        ..Stroke::solid(colour, 1.2)
    };
    for path in paths {
        let places: Vec<_> = path.iter().map(place).collect();
        for inside in places.split(Option::is_none) {
            let inside: Vec<_> = inside.iter().copied().flatten().collect();
            canvas.line(&inside, stroke);
        }
    }
    let ends = |of: fn(&Vec<[f32; 2]>) -> Option<&[f32; 2]>| {
        let ends = paths.iter().filter_map(of).filter_map(place);
        ends.collect::<Vec<_>>()
    };
    let (starts, ends) = (ends(|path| path.first()), ends(|path| path.last()));
    canvas.discs(&starts, 3.2, colour.towards(EMPTY, 0.3), 1.0);
    canvas.discs(&starts, 2.2, EMPTY, 1.0);
    canvas.discs(&ends, 3.2, colour, 1.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn cells_fill_the_plane() {
        let plane = Plane::around(["x", "y"], array![[0.0, 0.0], [1.0, 1.0]].view());
        let cells = plane.cells();
        let (x, y) = (&plane.limits.x, &plane.limits.y);
        let half = (x.end - x.start) / CELLS as f64 / 2.0;
        /// Of `f32`, near 1.
        const TOLERANCE: f64 = 1e-6;
        for (cell, expected) in [
            (0, [x.start + half, y.start + half]),
            (CELLS - 1, [x.end - half, y.start + half]),
            (CELLS * CELLS - 1, [x.end - half, y.end - half]),
        ] {
            for axis in [0, 1] {
                let error = (f64::from(cells[[cell, axis]]) - expected[axis]).abs();
                assert!(error < TOLERANCE, "cell {cell}: {error}");
            }
        }
    }

    #[test]
    fn bands_are_nats_below_the_top() {
        assert_eq!(band(1.0, 0.5), Some(0));
        assert_eq!(band(-1.0, 0.5), Some(1));
        assert_eq!(band(-8.4, 0.5), Some(8));
        assert_eq!(band(-8.6, 0.5), None);
        assert_eq!(band(f32::NAN, 0.5), None);
    }

    #[test]
    fn shades_go_from_dark_to_light() {
        let light = |band| {
            let Colour(red, green, blue) = shade(band);
            u32::from(red) + u32::from(green) + u32::from(blue)
        };
        assert!((1..BANDS).all(|band| light(band) > light(band - 1)));
        assert!(light(BANDS - 1) < 3 * 255);
    }
}
