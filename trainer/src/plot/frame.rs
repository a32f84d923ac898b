//! Axes with ticks and names, and the place of a value between them.

use std::ops::Range;

use super::canvas::{Anchor, Canvas, Colour, Pixel, Stroke, Text};
use super::{bitmap, ticks};

const GRID: Colour = Colour(0xe3, 0xe6, 0xea);
const AXIS: Colour = Colour(0x6c, 0x78, 0x8a);
/// Text of any kind.
pub(super) const INK: Colour = Colour(0x1c, 0x22, 0x2b);

/// Pixels from line to line of small text.
pub(super) const TEXT_SIZE: f64 = 15.0;
/// Pixels between a text and what it belongs to.
pub(super) const GAP: f64 = 7.0;

/// What one axis spans and says.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) name: String,
    pub(super) range: Range<f64>,
    pub(super) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis with ticks at round numbers.
    pub(super) fn new(name: impl Into<String>, range: Range<f64>) -> Self {
        let tick = |value| (value, ticks::label(value, &range));
        Self {
            name: name.into(),
            ticks: ticks::positions(&range).into_iter().map(tick).collect(),
            range,
        }
    }

    /// Where on the axis a value lies: 0 at its start, 1 at its end.
    fn share(&self, value: f64) -> f64 {
        (value - self.range.start) / (self.range.end - self.range.start)
    }

    /// Pixels that its numbers are wide at most.
    fn widest(&self) -> f64 {
        let widths = self
            .ticks
            .iter()
            .map(|(_, text)| bitmap::width(text, TEXT_SIZE));
        widths.fold(0.0, f64::max)
    }
}

/// Two axes, without a place yet.
#[derive(Clone, Debug)]
pub(super) struct Axes {
    pub(super) x: Axis,
    pub(super) y: Axis,
    /// Height over width.
    pub(super) aspect: f64,
}

impl Axes {
    /// Pixels left of the plot, for the axis's name and its numbers.
    pub(super) fn left(&self) -> f64 {
        let name = if self.y.name.is_empty() {
            0.0
        } else {
            TEXT_SIZE + GAP
        };
        GAP + name + self.y.widest() + GAP
    }

    /// Pixels below the plot.
    pub(super) fn below(&self) -> f64 {
        let name = if self.x.name.is_empty() {
            0.0
        } else {
            TEXT_SIZE + GAP / 2.0
        };
        GAP + TEXT_SIZE + name
    }
}

/// Two axes on a picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub(super) axes: &'a Axes,
    /// The upper left corner, within the axes.
    pub(super) corner: Pixel,
    /// Width and height.
    pub(super) size: Pixel,
}

impl Frame<'_> {
    /// Where a point is on the picture.
    pub(super) fn place(&self, x: f64, y: f64) -> Pixel {
        let [right, down] = [self.axes.x.share(x), 1.0 - self.axes.y.share(y)];
        [
            self.corner[0] + right * self.size[0],
            self.corner[1] + down * self.size[1],
        ]
    }

    /// Where a point is on the picture, if it is between the axes.
    pub(super) fn place_inside(&self, x: f64, y: f64) -> Option<Pixel> {
        let is_inside = self.axes.x.range.contains(&x) && self.axes.y.range.contains(&y);
        is_inside.then(|| self.place(x, y))
    }

    /// The corner opposite to `corner`.
    pub(super) fn end(&self) -> Pixel {
        [self.corner[0] + self.size[0], self.corner[1] + self.size[1]]
    }

    /// Draws a line at each tick.
    pub(super) fn draw_grid(&self, canvas: &mut dyn Canvas) {
        let ([left, top], [right, bottom]) = (self.corner, self.end());
        for (value, _) in &self.axes.x.ticks {
            let x = sharp(self.place(*value, 0.0)[0]);
            canvas.line(&[[x, top], [x, bottom]], Stroke::solid(GRID, 1.0));
        }
        for (value, _) in &self.axes.y.ticks {
            let y = sharp(self.place(0.0, *value)[1]);
            canvas.line(&[[left, y], [right, y]], Stroke::solid(GRID, 1.0));
        }
    }

    /// Draws the axes with their numbers and names.
    pub(super) fn draw_axes(&self, canvas: &mut dyn Canvas) {
        let ([left, top], [right, bottom]) = (self.corner.map(sharp), self.end().map(sharp));
        let corners = [[left, top], [left, bottom], [right, bottom]];
        canvas.line(&corners, Stroke::solid(AXIS, 1.0));
        for (value, text) in &self.axes.x.ticks {
            let at = [self.place(*value, 0.0)[0], bottom + GAP + TEXT_SIZE / 2.0];
            canvas.text(at, label(text, Anchor::Middle));
        }
        for (value, text) in &self.axes.y.ticks {
            let at = [left - GAP, self.place(0.0, *value)[1]];
            canvas.text(at, label(text, Anchor::Right));
        }
        let middle = [(left + right) / 2.0, (top + bottom) / 2.0];
        let below = bottom + self.axes.below() - TEXT_SIZE / 2.0;
        canvas.text([middle[0], below], label(&self.axes.x.name, Anchor::Middle));
        let beside = left - self.axes.left() + GAP + TEXT_SIZE / 2.0;
        let name = label(&self.axes.y.name, Anchor::Middle);
        let upwards = true;
        canvas.text([beside, middle[1]], Text { upwards, ..name });
    }
}

/// Small text.
pub(super) fn label(text: &str, anchor: Anchor) -> Text<'_> {
    Text {
        text,
        size: TEXT_SIZE,
        colour: INK,
        anchor,
        upwards: false,
    }
}

/// The middle of a pixel, where a line of one pixel's width is sharp.
fn sharp(position: f64) -> f64 {
    position.floor() + 0.5
}
