//! Points as small translucent discs.

use ndarray::ArrayView2;
use plotters::prelude::*;

use super::{Chart, Drawn};

/// Radius in pixels and opacity of a dot.
#[derive(Clone, Copy)]
struct Dot {
    radius: f64,
    opacity: f64,
}

impl Dot {
    /// Smaller and fainter the more there are, so that density shows.
    fn for_count(count: usize) -> Self {
        let crowd = (count.max(1) as f64 / 100.0).log10().clamp(0.0, 3.0);
        Self {
            radius: 2.8 - 0.8 * crowd,
            opacity: 0.85 - 0.2 * crowd,
        }
    }

    /// How much of the pixel at that distance from its centre the disc covers.
    fn coverage(&self, distance: f64) -> f64 {
        (self.radius + 0.5 - distance).clamp(0.0, 1.0)
    }
}

/// Draws the first two columns.
///
/// The discs of plotters have centres and rims in whole pixels, which shows where they are small.
pub(super) fn draw(chart: &Chart, points: ArrayView2<f32>, colour: RGBColor) -> Drawn {
    let area = chart.plotting_area();
    let (width, height) = area.dim_in_pixel();
    let (x, y) = (area.get_x_range(), area.get_y_range());
    let dot = Dot::for_count(points.nrows());
    let area = area.strip_coord_spec();
    for point in points.rows() {
        let across = (f64::from(point[0]) - x.start) / (x.end - x.start);
        let up = (f64::from(point[1]) - y.start) / (y.end - y.start);
        let is_inside = |share| (0.0..1.0).contains(share);
        if is_inside(&across) && is_inside(&up) {
            let centre = (across * f64::from(width), (1.0 - up) * f64::from(height));
            draw_dot(&area, centre, dot, colour)?;
        }
    }
    Ok(())
}

fn draw_dot(area: &super::Area, centre: (f64, f64), dot: Dot, colour: RGBColor) -> Drawn {
    let (width, height) = area.dim_in_pixel();
    let reach = |centre: f64, end: u32| {
        let first = (centre - dot.radius - 1.0).floor().max(0.0) as i32;
        first..=((centre + dot.radius + 1.0) as i32).min(end as i32 - 1)
    };
    for i in reach(centre.0, width) {
        for j in reach(centre.1, height) {
            let offset = (f64::from(i) + 0.5 - centre.0, f64::from(j) + 0.5 - centre.1);
            let coverage = dot.coverage(offset.0.hypot(offset.1));
            if coverage > 0.0 {
                area.draw_pixel((i, j), &colour.mix(dot.opacity * coverage))?;
            }
        }
    }
    Ok(())
}
