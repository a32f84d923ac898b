//! One cell of a table, and what it is as a number.

use std::borrow::Cow;

#[derive(Clone, Copy, Debug)]
pub(super) enum Cell<'a> {
    Text(&'a str),
    Number(f64),
}

/// What a cell is as a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reading {
    Finite(f32),
    /// Empty, NaN or a word that says so.
    Missing,
    Infinite,
    /// Finite, but not in `f32`.
    OutOfRange,
    /// A number, but for a comma where the point should be.
    DecimalComma,
    Text,
}

impl<'a> Cell<'a> {
    pub(super) fn reading(self) -> Reading {
        let number = match self {
            Self::Text(text) => text.parse().ok(),
            Self::Number(number) => Some(number as f32),
        };
        match number {
            Some(number) if number.is_finite() => Reading::Finite(number),
            Some(number) if number.is_nan() => Reading::Missing,
            Some(_) if self.is_finite() => Reading::OutOfRange,
            Some(_) => Reading::Infinite,
            None => self.text_reading(),
        }
    }

    fn text_reading(self) -> Reading {
        let text = self.text();
        if is_missing(&text) {
            Reading::Missing
        } else if text.contains(',') && text.replace(',', ".").parse::<f32>().is_ok() {
            Reading::DecimalComma
        } else {
            Reading::Text
        }
    }

    /// Whether the cell names a finite number, in range of `f32` or not.
    fn is_finite(self) -> bool {
        match self {
            Self::Text(text) => text.contains(|c: char| c.is_ascii_digit()),
            Self::Number(number) => number.is_finite(),
        }
    }

    /// Whether there is no value; cheap where there is one.
    pub(super) fn is_missing(self) -> bool {
        match self {
            Self::Text(text) => is_missing(text) || self.reading() == Reading::Missing,
            Self::Number(number) => number.is_nan(),
        }
    }

    pub(super) fn is_number(self) -> bool {
        !matches!(self.reading(), Reading::Missing | Reading::Text)
    }

    pub(super) fn text(self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => text.into(),
            Self::Number(number) => number.to_string().into(),
        }
    }

    /// The cell for a message: short, however long it is.
    pub(super) fn shown(self) -> String {
        const LONGEST: usize = 40;
        let text = self.text();
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text.into_owned(),
        }
    }
}

/// What people and programs write where there is no value.
fn is_missing(text: &str) -> bool {
    ["", "?", "na", "n/a", "nan", "null"]
        .iter()
        .any(|missing| text.eq_ignore_ascii_case(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_read_as_what_they_are() {
        for (text, expected) in [
            ("1.5", Reading::Finite(1.5)),
            ("-.5e1", Reading::Finite(-5.0)),
            ("1e-60", Reading::Finite(0.0)),
            ("", Reading::Missing),
            ("NaN", Reading::Missing),
            ("-nan", Reading::Missing),
            ("NA", Reading::Missing),
            ("n/a", Reading::Missing),
            ("Null", Reading::Missing),
            ("?", Reading::Missing),
            ("-inf", Reading::Infinite),
            ("1e39", Reading::OutOfRange),
            ("1,5", Reading::DecimalComma),
            ("-0,5e-3", Reading::DecimalComma),
            ("1,5,2", Reading::Text),
            ("walking", Reading::Text),
            (",", Reading::Text),
        ] {
            let cell = Cell::Text(text);
            assert_eq!(cell.reading(), expected, "{text:?}");
            assert_eq!(cell.is_missing(), expected == Reading::Missing, "{text:?}");
        }
        for (number, expected) in [
            (1e39, Reading::OutOfRange),
            (f64::NAN, Reading::Missing),
            (f64::INFINITY, Reading::Infinite),
        ] {
            assert_eq!(Cell::Number(number).reading(), expected);
        }
    }

    #[test]
    fn long_cell_is_shown_short() {
        let long = "é".repeat(1000);
        assert_eq!(Cell::Text(&long).shown(), format!("{}…", "é".repeat(40)));
    }
}
