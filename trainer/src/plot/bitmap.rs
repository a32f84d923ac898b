//! Pictures as pixels.

use std::io::{self, Write};
use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};

use super::canvas::{Anchor, Canvas, Colour, Pixel, Stroke, Text};

static FONT: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    FontRef::try_from_slice(epaint_default_fonts::HACK_REGULAR)
        .expect("the embedded font is a font")
});

/// A picture under way, white at first.
#[derive(Debug)]
pub(super) struct Bitmap {
    size: [u32; 2],
    pixels: Vec<Colour>,
}

impl Bitmap {
    pub(super) fn new(size: [u32; 2]) -> Self {
        let [width, height] = size.map(|length| length as usize);
        Self {
            size,
            pixels: vec![Colour(255, 255, 255); width * height],
        }
    }

    pub(super) fn write_png(&self, output: &mut dyn Write) -> io::Result<()> {
        let mut encoder = png::Encoder::new(output, self.size[0], self.size[1]);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header()?;
        let bytes = self
            .pixels
            .iter()
            .flat_map(|pixel| [pixel.0, pixel.1, pixel.2]);
        writer.write_image_data(&bytes.collect::<Vec<u8>>())?;
        writer.finish()?;
        Ok(())
    }

    /// How many pixels between two corners are so.
    #[cfg(test)]
    pub(super) fn count(&self, from: Pixel, to: Pixel, is: impl Fn(Colour) -> bool) -> usize {
        let rows = from[1] as usize..to[1] as usize;
        let columns = from[0] as usize..to[0] as usize;
        let width = self.size[0] as usize;
        let pixels = rows.flat_map(|y| columns.clone().map(move |x| self.pixels[y * width + x]));
        pixels.filter(|pixel| is(*pixel)).count()
    }

    /// Covers a share of a pixel; nothing outside the picture.
    fn blend(&mut self, [x, y]: [i64; 2], colour: Colour, share: f64) {
        let [width, height] = self.size.map(i64::from);
        if (0..width).contains(&x) && (0..height).contains(&y) {
            let pixel = &mut self.pixels[(y * width + x) as usize];
            *pixel = pixel.towards(colour, share.min(1.0));
        }
    }

    /// Draws all that is at most half a width away from the line between `a` and `b`.
    fn segment(&mut self, a: Pixel, b: Pixel, stroke: Stroke) {
        let reach = stroke.width / 2.0 + 1.0;
        let size = self.size.map(f64::from);
        let range = |i: usize| {
            let (first, last) = (a[i].min(b[i]) - reach, a[i].max(b[i]) + reach);
            let last = last.min(size[i]);
            first.max(0.0) as i64..=last as i64
        };
        for x in range(0) {
            for y in range(1) {
                let middle = [x as f64 + 0.5, y as f64 + 0.5];
                let away = distance(middle, a, b);
                let coverage = (stroke.width / 2.0 + 0.5 - away).clamp(0.0, 1.0);
                if coverage > 0.0 {
                    self.blend([x, y], stroke.colour, stroke.opacity * coverage);
                }
            }
        }
    }
}

impl Canvas for Bitmap {
    fn rectangle(&mut self, from: Pixel, to: Pixel, colour: Colour) {
        let share = |i: usize, pixel: i64| {
            let first = from[i].max(pixel as f64);
            (to[i].min(pixel as f64 + 1.0) - first).max(0.0)
        };
        for y in from[1] as i64..=to[1] as i64 {
            for x in from[0] as i64..=to[0] as i64 {
                self.blend([x, y], colour, share(0, x) * share(1, y));
            }
        }
    }

    fn line(&mut self, points: &[Pixel], stroke: Stroke) {
        let pairs = points.iter().zip(points.iter().skip(1));
        let Some(dash) = stroke.dash else {
            return pairs.for_each(|(a, b)| self.segment(*a, *b, stroke));
        };
        let mut start = 0.0;
        for (a, b) in pairs {
            let length = (b[0] - a[0]).hypot(b[1] - a[1]);
            let at = |share: f64| [0, 1].map(|i| a[i] + share * (b[i] - a[i]));
            for k in (start / dash) as usize..=((start + length) / dash) as usize {
                let ends = [k, k + 1].map(|k| ((k as f64 * dash - start) / length).clamp(0.0, 1.0));
                if k % 2 == 0 && ends[0] < ends[1] {
                    self.segment(at(ends[0]), at(ends[1]), stroke);
                }
            }
            start += length;
        }
    }

    fn discs(&mut self, centres: &[Pixel], radius: f64, colour: Colour, opacity: f64) {
        let stroke = Stroke {
            opacity,
            ..Stroke::solid(colour, 2.0 * radius)
        };
        for centre in centres {
            self.segment(*centre, *centre, stroke);
        }
    }

    fn text(&mut self, at: Pixel, text: Text<'_>) {
        let font = FONT.as_scaled(PxScale::from(text.size as f32));
        let length = width(text.text, text.size) as f32;
        let mut along = match text.anchor {
            Anchor::Middle => -length / 2.0,
            Anchor::Right => -length,
        };
        let base = (font.ascent() + font.descent()) / 2.0;
        for c in text.text.chars() {
            let mut glyph = font.scaled_glyph(c);
            glyph.position = point(along, base);
            along += font.h_advance(glyph.id);
            let Some(outline) = font.outline_glyph(glyph) else {
                continue;
            };
            let corner = outline.px_bounds().min;
            outline.draw(|x, y, coverage| {
                let (x, y) = (
                    f64::from(corner.x) + f64::from(x),
                    f64::from(corner.y) + f64::from(y),
                );
                let [x, y] = if text.upwards { [y, -x - 1.0] } else { [x, y] };
                let pixel =
                    [at[0].round() + x, at[1].round() + y].map(|position| position.floor() as i64);
                self.blend(pixel, text.colour, coverage.into());
            });
        }
    }
}

/// Pixels that a text of this size is long.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let font = FONT.as_scaled(PxScale::from(size as f32));
    let advance = |c| f64::from(font.h_advance(font.glyph_id(c)));
    text.chars().map(advance).sum()
}

/// How far a point is from the nearest of the line between `a` and `b`.
fn distance(point: Pixel, a: Pixel, b: Pixel) -> f64 {
    let minus = |p: Pixel, q: Pixel| [p[0] - q[0], p[1] - q[1]];
    let (line, to_point) = (minus(b, a), minus(point, a));
    let square = line[0] * line[0] + line[1] * line[1];
    let share = (line[0] * to_point[0] + line[1] * to_point[1]) / square;
    // A line without length is its one end.
    let share = if share.is_finite() {
        share.clamp(0.0, 1.0)
    } else {
        0.0
    };
    (to_point[0] - share * line[0]).hypot(to_point[1] - share * line[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLACK: Colour = Colour(0, 0, 0);

    /// Pixels fully covered by black, and the sum of all coverages.
    fn ink(bitmap: &Bitmap) -> f64 {
        let ink = |pixel: &Colour| f64::from(255 - pixel.0) / 255.0;
        bitmap.pixels.iter().map(ink).sum()
    }

    #[test]
    fn a_rectangle_covers_its_area() {
        let mut bitmap = Bitmap::new([20, 20]);
        bitmap.rectangle([2.5, 3.0], [7.0, 5.5], BLACK);
        // Pixels have 256 shades.
        assert!((ink(&bitmap) - 4.5 * 2.5).abs() < 0.1, "{}", ink(&bitmap));
    }

    #[test]
    fn gaps_of_a_dashed_line_are_as_long_as_what_is_drawn() {
        let ends = [[10.0, 10.5], [90.0, 10.5], [90.0, 90.0]];
        let stroke = Stroke::solid(BLACK, 1.0);
        let ink = |dash| {
            let mut bitmap = Bitmap::new([100, 100]);
            bitmap.line(&ends, Stroke { dash, ..stroke });
            ink(&bitmap)
        };
        let share = ink(Some(8.0)) / ink(None);
        // The round ends of the dashes, half a pixel each.
        assert!((0.5..0.65).contains(&share), "{share}");
    }

    #[test]
    fn text_upwards_is_text_turned() {
        let text = Text {
            text: "Flow",
            size: 20.0,
            colour: BLACK,
            anchor: Anchor::Middle,
            upwards: false,
        };
        let (mut level, mut turned) = (Bitmap::new([80, 80]), Bitmap::new([80, 80]));
        level.text([40.0, 40.0], text);
        turned.text(
            [40.0, 40.0],
            Text {
                upwards: true,
                ..text
            },
        );
        assert!(ink(&level) > 50.0);
        for x in 0..80 {
            for y in 0..80 {
                assert_eq!(
                    level.pixels[80 * y + x],
                    turned.pixels[80 * (79 - x) + y],
                    "{x} {y}"
                );
            }
        }
    }
}
