//! One frame of a log: rzCOBS around the number of a text and its arguments.

use std::fmt::Write as _;

use defmt_parser::{DisplayHint, Fragment, Parameter, ParserMode, TimePrecision, Type, parse};

use super::Level;
use super::rzcobs::unstuff;
use super::texts::{Kind, Texts};

/// Texts within texts, at most.
const MOST_NESTED: usize = 32;
/// Characters of all texts of a frame and one for each of them, at most: elements of lists may take no bytes, and lists
/// may hold lists.
const MOST_TEXT: usize = 1 << 16;
/// Digits that a number is filled up to, at most: those of the largest in bits. A text may ask for any width, and
/// formatting panics past 65,535.
const MOST_WIDTH: usize = 128;
/// Zeros that may follow what a frame has, since a control byte stands for up to seven bytes.
const MOST_PADDING: usize = 6;

/// What a frame says.
#[derive(Debug, PartialEq)]
pub(super) struct Said {
    /// The number of its text.
    pub(super) index: u16,
    pub(super) level: Option<Level>,
    pub(super) message: String,
}

/// Reads a frame without the zeros around it; none where it is damaged, or has what these texts do not.
pub(super) fn decode(texts: &Texts, frame: &[u8]) -> Option<Said> {
    let bytes = unstuff(frame)?;
    let mut reader = Reader {
        texts,
        bytes: &bytes,
        text_left: MOST_TEXT,
    };
    let index = u16::from_le_bytes(reader.take()?);
    let text = texts.texts.get(&index)?;
    let Kind::Line(level) = text.kind else {
        return None;
    };
    let mut message = String::new();
    if let Some(timestamp) = &texts.timestamp {
        reader.text(timestamp, 0)?.show(None, &mut message);
        message.push(' ');
    }
    reader.text(&text.text, 0)?.show(None, &mut message);
    let is_padding = reader.bytes.iter().all(|byte| *byte == 0);
    (is_padding && reader.bytes.len() <= MOST_PADDING).then_some(Said {
        index,
        level,
        message,
    })
}

struct Reader<'r> {
    texts: &'r Texts,
    bytes: &'r [u8],
    text_left: usize,
}

/// A text with its arguments.
struct Filled<'t> {
    fragments: Vec<Fragment<'t>>,
    /// By their index.
    values: Vec<Value<'t>>,
}

enum Value<'t> {
    Bool(bool),
    Char(char),
    F32(f32),
    F64(f64),
    /// A number and its bytes, for those that are shown as their bits.
    Signed(i128, usize),
    Unsigned(u128),
    Text(String),
    Bytes(Vec<u8>),
    Filled(Filled<'t>),
    /// One after another, as one text.
    Sequence(Vec<Filled<'t>>),
    List(Vec<Filled<'t>>),
}

impl<'r> Reader<'r> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(*taken)
    }

    fn take_len(&mut self, len: usize) -> Option<&'r [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(len)?;
        self.bytes = rest;
        Some(taken)
    }

    fn len(&mut self) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.take()?)).ok()
    }

    /// The arguments of a text.
    fn text<'t>(&mut self, text: &'t str, nested: usize) -> Option<Filled<'t>>
    where
        'r: 't,
    {
        if nested > MOST_NESTED {
            return None;
        }
        self.text_left = self.text_left.checked_sub(1 + text.len())?;
        let fragments = parse(text, ParserMode::ForwardsCompatible).ok()?;
        let mut parameters: Vec<&Parameter> = fragments
            .iter()
            .filter_map(|fragment| match fragment {
                Fragment::Parameter(parameter) => Some(parameter),
                Fragment::Literal(_) => None,
            })
            .collect();
        parameters.sort_by_key(|parameter| parameter.index);
        parameters.dedup_by_key(|parameter| parameter.index);
        let mut values = vec![];
        for (i, parameter) in parameters.into_iter().enumerate() {
            if parameter.index != i {
                return None;
            }
            values.push(self.value(&parameter.ty, nested)?);
        }
        Some(Filled { fragments, values })
    }

    fn value<'t>(&mut self, kind: &Type, nested: usize) -> Option<Value<'t>>
    where
        'r: 't,
    {
        macro_rules! number {
            ($type:ty) => {
                <$type>::from_le_bytes(self.take()?)
            };
        }
        macro_rules! signed {
            ($type:ty) => {
                Value::Signed(number!($type).into(), size_of::<$type>())
            };
        }
        Some(match kind {
            Type::Bool => Value::Bool(match number!(u8) {
                0 => false,
                1 => true,
                _ => return None,
            }),
            Type::Char => Value::Char(char::from_u32(number!(u32))?),
            Type::F32 => Value::F32(number!(f32)),
            Type::F64 => Value::F64(number!(f64)),
            Type::I8 => signed!(i8),
            Type::I16 => signed!(i16),
            Type::I32 | Type::Isize => signed!(i32),
            Type::I64 => signed!(i64),
            Type::I128 => signed!(i128),
            Type::U8 => Value::Unsigned(number!(u8).into()),
            Type::U16 => Value::Unsigned(number!(u16).into()),
            Type::U32 | Type::Usize => Value::Unsigned(number!(u32).into()),
            Type::U64 => Value::Unsigned(number!(u64).into()),
            Type::U128 => Value::Unsigned(number!(u128)),
            Type::Str => {
                let len = self.len()?;
                Value::Text(String::from_utf8(self.take_len(len)?.to_vec()).ok()?)
            }
            Type::IStr => {
                let text = self.texts.part(number!(u16))?;
                self.text_left = self.text_left.checked_sub(1 + text.len())?;
                Value::Text(text.into())
            }
            Type::Debug | Type::Display => {
                let end = self.bytes.iter().position(|byte| *byte == 0xFF)?;
                let text = String::from_utf8(self.take_len(end)?.to_vec()).ok()?;
                self.take_len(1)?;
                Value::Text(text)
            }
            Type::U8Slice => {
                let len = self.len()?;
                Value::Bytes(self.take_len(len)?.to_vec())
            }
            Type::U8Array(len) => Value::Bytes(self.take_len(*len)?.to_vec()),
            Type::Format => Value::Filled(self.part(nested)?),
            Type::FormatSequence => {
                let mut parts = vec![];
                loop {
                    match number!(u16) {
                        0 => break Value::Sequence(parts),
                        index => {
                            let text = self.texts.part(index)?;
                            parts.push(self.text(text, nested + 1)?);
                        }
                    }
                }
            }
            Type::FormatSlice => {
                let len = self.len()?;
                self.list(len, nested)?
            }
            Type::FormatArray(len) => self.list(*len, nested)?,
            // Of several parameters at once, which nothing here logs.
            Type::BitField(_) => return None,
        })
    }

    /// A text by its number, and of one for an enum the variant's.
    fn part<'t>(&mut self, nested: usize) -> Option<Filled<'t>>
    where
        'r: 't,
    {
        let text = self.texts.part(u16::from_le_bytes(self.take()?))?;
        let text = self.variant(text)?;
        self.text(text, nested + 1)
    }

    fn list<'t>(&mut self, len: usize, nested: usize) -> Option<Value<'t>>
    where
        'r: 't,
    {
        let text = self.texts.part(u16::from_le_bytes(self.take()?))?;
        let mut list = vec![];
        for _ in 0..len {
            let text = self.variant(text)?;
            list.push(self.text(text, nested + 1)?);
        }
        Some(Value::List(list))
    }

    fn variant<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let last = text.matches('|').count();
        let variant = match last {
            0 => return Some(text),
            1..=0xFF => u8::from_le_bytes(self.take()?).into(),
            _ => usize::from(u16::from_le_bytes(self.take()?)),
        };
        text.split('|').nth(variant)
    }
}

impl Filled<'_> {
    /// Writes the text, with the hint of what it is in where there is none of its own; a number's own `:?`, as derived
    /// code has it, is none.
    fn show(&self, outer: Option<&DisplayHint>, out: &mut String) {
        for fragment in &self.fragments {
            match fragment {
                Fragment::Literal(text) => out.push_str(text),
                Fragment::Parameter(parameter) => {
                    let value = &self.values[parameter.index];
                    let hint = match (&parameter.hint, value) {
                        (Some(DisplayHint::Debug), Value::Unsigned(_)) => outer,
                        (hint, _) => hint.as_ref().or(outer),
                    };
                    value.show(hint, out);
                }
            }
        }
    }
}

impl Value<'_> {
    fn show(&self, hint: Option<&DisplayHint>, out: &mut String) {
        let is_debug = matches!(hint, Some(DisplayHint::Debug));
        let shown = match self {
            Self::Bool(value) => write!(out, "{value}"),
            Self::Char(value) => write!(out, "{value}"),
            Self::F32(value) => write!(out, "{value:?}"),
            Self::F64(value) => write!(out, "{value:?}"),
            Self::Signed(value, len) => match hint {
                Some(DisplayHint::NoHint { zero_pad }) => {
                    let width = *zero_pad.min(&MOST_WIDTH);
                    write!(out, "{value:0width$}")
                }
                Some(hint) if is_of_bits(hint) => {
                    let unused = 128 - 8 * *len as u32;
                    show_bits(*value as u128 & u128::MAX >> unused, hint, out);
                    Ok(())
                }
                _ => write!(out, "{value}"),
            },
            Self::Unsigned(value) => {
                match hint {
                    Some(hint) => show_bits(*value, hint, out),
                    None => out.push_str(&value.to_string()),
                }
                Ok(())
            }
            Self::Text(text) if is_debug => write!(out, "{text:?}"),
            Self::Text(text) => write!(out, "{text}"),
            Self::Bytes(bytes) => match hint {
                Some(DisplayHint::Ascii) => write!(out, "b\"{}\"", bytes.escape_ascii()),
                Some(hint) if is_of_bits(hint) => {
                    let show = |byte: &u8, out: &mut String| show_bits((*byte).into(), hint, out);
                    show_list(bytes, out, show);
                    Ok(())
                }
                _ => write!(out, "{bytes:?}"),
            },
            Self::Filled(filled) => {
                filled.show(hint, out);
                Ok(())
            }
            Self::Sequence(parts) => {
                parts.iter().for_each(|part| part.show(hint, out));
                Ok(())
            }
            Self::List(list) => {
                show_list(list, out, |part, out| part.show(hint, out));
                Ok(())
            }
        };
        shown.expect("a string takes text");
    }
}

fn show_list<T>(list: &[T], out: &mut String, show: impl Fn(&T, &mut String)) {
    out.push('[');
    for (i, element) in list.iter().enumerate() {
        out.push_str(if i == 0 { "" } else { ", " });
        show(element, out);
    }
    out.push(']');
}

/// Whether a hint shows a negative number as its bits.
fn is_of_bits(hint: &DisplayHint) -> bool {
    matches!(
        hint,
        DisplayHint::Hexadecimal { .. } | DisplayHint::Octal { .. } | DisplayHint::Binary { .. }
    )
}

/// Writes a number in the base of the hint, or the seconds that it counts the parts of; of dates and the like, the plain
/// number.
fn show_bits(value: u128, hint: &DisplayHint, out: &mut String) {
    let (digits, prefix, alternate, zero_pad) = match hint {
        DisplayHint::Hexadecimal {
            alternate,
            uppercase: true,
            zero_pad,
        } => (format!("{value:X}"), "0x", *alternate, *zero_pad),
        DisplayHint::Hexadecimal {
            alternate,
            zero_pad,
            ..
        } => (format!("{value:x}"), "0x", *alternate, *zero_pad),
        DisplayHint::Octal {
            alternate,
            zero_pad,
        } => (format!("{value:o}"), "0o", *alternate, *zero_pad),
        DisplayHint::Binary {
            alternate,
            zero_pad,
        } => (format!("{value:b}"), "0b", *alternate, *zero_pad),
        DisplayHint::NoHint { zero_pad } => (value.to_string(), "", false, *zero_pad),
        DisplayHint::Seconds(TimePrecision::Micros) => {
            let seconds = format!("{}.{:06}", value / 1_000_000, value % 1_000_000);
            (seconds, "", false, 0)
        }
        DisplayHint::Seconds(TimePrecision::Millis) => {
            let seconds = format!("{}.{:03}", value / 1000, value % 1000);
            (seconds, "", false, 0)
        }
        _ => (value.to_string(), "", false, 0),
    };
    let prefix = if alternate { prefix } else { "" };
    let width = zero_pad.min(MOST_WIDTH).saturating_sub(prefix.len());
    out.push_str(prefix);
    write!(out, "{digits:0>width$}").expect("a string takes text");
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::rzcobs::tests::encode;
    use super::super::texts::Text;
    use super::*;

    /// A line for each kind of argument, and the parts that they refer to.
    pub(in super::super) fn texts() -> Texts {
        let line = |level, text: &str| (Kind::Line(level), text.to_owned());
        let part = |text: &str| (Kind::Part, text.to_owned());
        let texts = [
            line(Some(Level::Info), "sampled {=u8}"),
            line(Some(Level::Error), "the end"),
            line(Some(Level::Debug), "{=i16} {=f32} {=bool} {=str} {=char}"),
            line(None, "{}"),
            part("NotAModel|Dim {{ expected: {=u8:?}, what: {=str:?} }}"),
            line(
                Some(Level::Warn),
                "{=u16:#06x} {=i8:b} {0=u16} {=[u8]:a} {=u8:03}",
            ),
            part("{=__internal_FormatSequence}"),
            part("{=u32}"),
            line(Some(Level::Info), "{=[?]}"),
            line(Some(Level::Info), "{=__internal_Display}"),
            part("{}"),
            line(Some(Level::Info), "{=u8:099999}{=i8:099999}"),
            part("{=[?;300]}"),
            part(""),
            line(Some(Level::Info), "{=?:#04x}"),
            line(None, "{=[u8;2]:#04x} {=[u8;2]:o} {=[u8;1]:b} {=[u8;1]}"),
        ];
        let texts = (1..).zip(texts).map(|(index, (kind, text))| {
            let symbol = String::new();
            (index, Text { kind, text, symbol })
        });
        Texts {
            texts: texts.collect(),
            timestamp: None,
        }
    }

    fn message(bytes: &[u8]) -> Option<String> {
        let frame = encode(bytes);
        decode(&texts(), frame.strip_suffix(&[0]).unwrap()).map(|said| said.message)
    }

    #[test]
    fn arguments_are_read_and_shown_by_their_types() {
        let mut bytes = vec![3, 0, 0xFE, 0xFF];
        bytes.extend(1.5f32.to_le_bytes());
        bytes.extend([1, 2, 0, 0, 0, b'h', b'i']);
        bytes.extend(u32::from('é').to_le_bytes());
        assert_eq!(message(&bytes).unwrap(), "-2 1.5 true hi é");
    }

    #[test]
    fn hints_are_followed() {
        let bytes = [6, 0, 0x0A, 0, 0xFF, 2, 0, 0, 0, b'a', 0xFF, 7];
        assert_eq!(
            message(&bytes).unwrap(),
            r#"0x000a 11111111 10 b"a\xff" 007"#
        );
    }

    #[test]
    fn a_line_begins_with_its_time() {
        let shown = |timestamp: &str| {
            let timestamp = Some(timestamp.to_owned());
            let texts = Texts {
                timestamp,
                ..texts()
            };
            let frame = encode(&[&[2, 0], &1_000_042_u32.to_le_bytes()[..]].concat());
            decode(&texts, frame.strip_suffix(&[0]).unwrap()).map(|said| said.message)
        };
        assert_eq!(shown("{=u32:us}").unwrap(), "1.000042 the end");
        assert_eq!(shown("{=u32:ms}").unwrap(), "1000.042 the end");
        assert_eq!(shown("{=u32}").unwrap(), "1000042 the end");
    }

    #[test]
    fn bytes_are_shown_by_their_hint() {
        let bytes = [16, 0, 1, 0xFF, 8, 9, 5, 10];
        assert_eq!(message(&bytes).unwrap(), "[0x01, 0xff] [10, 11] [101] [10]");
    }

    #[test]
    fn an_outer_hint_is_followed_within() {
        let bytes = [15, 0, 5, 0, 1, 3, 1, 0, 0, 0, b'x'];
        assert_eq!(
            message(&bytes).unwrap(),
            r#"Dim { expected: 0x03, what: "x" }"#
        );
    }

    #[test]
    fn no_width_is_too_large() {
        let shown = message(&[12, 0, 7, 0xFF]).unwrap();
        assert_eq!(shown.len(), 2 * MOST_WIDTH);
        assert!(shown.ends_with("01") && shown.contains("07-0"), "{shown}");
    }

    #[test]
    fn an_enums_variant_is_shown() {
        assert_eq!(message(&[4, 0, 5, 0, 0]).unwrap(), "NotAModel");
        let bytes = [4, 0, 5, 0, 1, 3, 1, 0, 0, 0, b'x'];
        assert_eq!(
            message(&bytes).unwrap(),
            r#"Dim { expected: 3, what: "x" }"#
        );
    }

    #[test]
    fn parts_come_one_after_another_and_lists_in_brackets() {
        let bytes = [4, 0, 7, 0, 8, 0, 1, 0, 0, 0, 8, 0, 2, 0, 0, 0, 0, 0];
        assert_eq!(message(&bytes).unwrap(), "12");
        let bytes = [9, 0, 2, 0, 0, 0, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0];
        assert_eq!(message(&bytes).unwrap(), "[1, 2]");
        assert_eq!(message(b"\x0a\0text\xFF").unwrap(), "text");
    }

    #[test]
    fn what_no_program_says_is_none() {
        for bytes in [
            &[99, 0][..],
            // A part for a line, and a line for a part.
            &[8, 0, 1, 0, 0, 0],
            &[4, 0, 1, 0],
            // A variant that is not there.
            &[4, 0, 5, 0, 2],
            // Too few bytes, and too many.
            &[3, 0],
            &[1, 0, 5, 6],
            // As many elements as 4 GB hold, and as many bytes.
            &[9, 0, 0xFF, 0xFF, 0xFF, 0xFF, 8, 0],
            &[6, 0, 1, 1, 1, 0xFF, 0xFF, 0xFF, 0xFF],
        ] {
            assert_eq!(message(bytes), None, "{bytes:?}");
        }
        let endless = [&[4, 0][..], &[11, 0].repeat(1000)].concat();
        assert_eq!(message(&endless), None);
    }

    #[test]
    fn lists_of_lists_have_one_bound_together() {
        let nested = |len: u8| {
            let head = [9, 0, len, 0, 0, 0, 13, 0];
            message(&[&head[..], &[14, 0].repeat(len.into())].concat())
        };
        let comma = |count: usize| ", ".repeat(count - 1);
        assert_eq!(nested(1).unwrap(), format!("[[{}]]", comma(300)));
        assert!(nested(200).is_some());
        assert_eq!(nested(220), None);
    }

    #[test]
    fn no_damage_ends_in_a_panic() {
        let texts = texts();
        let bytes = [4, 0, 5, 0, 1, 3, 1, 0, 0, 0, b'x'];
        let whole = encode(&bytes);
        for bit in 0..8 * whole.len() {
            let mut frame = whole.clone();
            frame[bit / 8] ^= 1 << (bit % 8);
            for end in 0..=frame.len() {
                decode(&texts, &frame[..end]);
            }
        }
    }
}
