//! Pictures as SVG, all in lines and shapes.

use std::fmt::Write;

use super::canvas::{Anchor, Canvas, Colour, Pixel, Stroke, Text};

/// Discs that are painted as one shape. Where those of one shape meet they do not add up, so that the
/// fewer, the truer; each shape takes about 100 bytes.
const DISCS_A_SHAPE: usize = 32;

/// A picture under way.
#[derive(Debug)]
pub(super) struct Svg {
    text: String,
}

impl Svg {
    pub(super) fn new(size: [u32; 2]) -> Self {
        let [width, height] = size;
        let text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" fill=\"none\" \
             stroke-linecap=\"round\" stroke-linejoin=\"round\">\n"
        );
        Self { text }
    }

    pub(super) fn finish(mut self) -> String {
        self.text += "</svg>\n";
        self.text
    }

    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        writeln!(self.text, "{element}").expect("a string takes all");
    }
}

impl Canvas for Svg {
    fn rectangle(&mut self, from: Pixel, to: Pixel, colour: Colour) {
        let [x, y] = from.map(number);
        let [width, height] = [to[0] - from[0], to[1] - from[1]].map(number);
        let fill = hex(colour);
        self.add(format_args!(
            "<path d=\"M{x} {y}h{width}v{height}h-{width}z\" fill=\"{fill}\" shape-rendering=\"crispEdges\"/>"
        ));
    }

    fn line(&mut self, points: &[Pixel], stroke: Stroke) {
        let mut path = String::new();
        for (i, point) in points.iter().enumerate() {
            let [x, y] = point.map(number);
            path += &format!("{}{x} {y}", if i == 0 { "M" } else { "L" });
        }
        let dash = stroke.dash.map_or(String::new(), |dash| {
            format!(" stroke-dasharray=\"{}\"", number(dash))
        });
        self.add(format_args!(
            "<path d=\"{path}\" stroke=\"{}\" stroke-width=\"{}\" stroke-opacity=\"{}\"{dash}/>",
            hex(stroke.colour),
            number(stroke.width),
            number(stroke.opacity),
        ));
    }

    fn discs(&mut self, centres: &[Pixel], radius: f64, colour: Colour, opacity: f64) {
        if centres.is_empty() {
            return;
        }
        // A line without length and with round ends is a disc, in the fewest bytes.
        self.add(format_args!(
            "<g stroke=\"{}\" stroke-width=\"{}\" stroke-opacity=\"{}\">",
            hex(colour),
            number(2.0 * radius),
            number(opacity)
        ));
        for centres in centres.chunks(DISCS_A_SHAPE) {
            let mut path = String::new();
            for centre in centres {
                let [x, y] = centre.map(number);
                path += &format!("M{x} {y}h0");
            }
            self.add(format_args!("<path d=\"{path}\"/>"));
        }
        self.add(format_args!("</g>"));
    }

    fn text(&mut self, at: Pixel, text: Text<'_>) {
        let [x, y] = at.map(number);
        let anchor = match text.anchor {
            Anchor::Middle => "middle",
            Anchor::Right => "end",
        };
        let turn = match text.upwards {
            true => format!(" transform=\"rotate(-90 {x} {y})\""),
            false => String::new(),
        };
        self.add(format_args!(
            "<text x=\"{x}\" y=\"{y}\" dy=\".35em\" font-size=\"{}\" text-anchor=\"{anchor}\" \
             fill=\"{}\"{turn}>{}</text>",
            number(text.size * EM),
            hex(text.colour),
            escaped(text.text)
        ));
    }
}

/// An em as a share of what is from line to line.
const EM: f64 = 0.86;

fn hex(Colour(red, green, blue): Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// A tenth of a pixel is as fine as anyone sees; opacities take two digits.
fn number(number: f64) -> String {
    let digits = if number.abs() < 1.0 { 2 } else { 1 };
    let text = format!("{number:.digits$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".into()
    } else {
        text.into()
    }
}

/// Text between tags or in quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '&' => escaped += "&amp;",
            '"' => escaped += "&quot;",
            // Which XML does not have.
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, expected) in [
            (12.0, "12"),
            (12.34, "12.3"),
            (0.25, "0.25"),
            (-0.001, "0"),
            (100.0, "100"),
        ] {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn names_cannot_break_out_of_their_place() {
        assert_eq!(
            escaped("a<b & \"c\">\u{1}"),
            "a&lt;b &amp; &quot;c&quot;&gt; "
        );
    }
}
