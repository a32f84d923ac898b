//! What pictures are drawn on.

/// A point in pixels from the upper left corner.
pub(super) type Pixel = [f64; 2];

/// A colour by its red, green and blue, each from 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    /// The colour at `share` of the way to `other`.
    pub(super) fn towards(self, other: Self, share: f64) -> Self {
        let mix =
            |a: u8, b: u8| (f64::from(a) + share * (f64::from(b) - f64::from(a))).round() as u8;
        Self(
            mix(self.0, other.0),
            mix(self.1, other.1),
            mix(self.2, other.2),
        )
    }
}

/// How a line is drawn; its ends are round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stroke {
    pub(super) colour: Colour,
    pub(super) opacity: f64,
    /// In pixels.
    pub(super) width: f64,
    /// Pixels drawn and left out in turn; none for a line without gaps.
    pub(super) dash: Option<f64>,
}

impl Stroke {
    /// Opaque, without gaps.
    pub(super) fn solid(colour: Colour, width: f64) -> Self {
        Self {
            colour,
            opacity: 1.0,
            width,
            dash: None,
        }
    }
}

/// Which point of a text is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Middle,
    Right,
}

/// A line of text, its middle at the height of the place given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    pub(super) text: &'a str,
    /// Pixels from line to line.
    pub(super) size: f64,
    pub(super) colour: Colour,
    pub(super) anchor: Anchor,
    /// Whether it is read from below.
    pub(super) upwards: bool,
}

/// Pixels, or lines and shapes.
pub(super) trait Canvas {
    /// Fills the rectangle between two corners, which a path along whole pixels leaves sharp.
    fn rectangle(&mut self, from: Pixel, to: Pixel, colour: Colour);

    /// Draws a line through the points.
    fn line(&mut self, points: &[Pixel], stroke: Stroke);

    /// Draws discs of one kind.
    fn discs(&mut self, centres: &[Pixel], radius: f64, colour: Colour, opacity: f64);

    /// Writes a line of text.
    fn text(&mut self, at: Pixel, text: Text<'_>);
}
