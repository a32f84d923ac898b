//! Numbers out of a line, without the tables that all decimals would take.

/// Ten to the power of each index, all of which an `f32` has exactly.
const POWERS_OF_TEN: [f32; 11] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10];

/// Largest whole number up to which an `f32` has all.
const MAX_WHOLE: u32 = 1 << f32::MANTISSA_DIGITS;

/// The finite number that is written as a decimal, or as `#` and its bits in hexadecimal.
///
/// Decimals have a whole number and up to ten digits after the point, which without the point are
/// at most 2²⁴. Digits and power of ten are then exact, so their quotient is rounded once, and right
/// (Clinger, 1990, "How to read floating point numbers accurately").
pub(crate) fn parse(text: &str) -> Option<f32> {
    match text.strip_prefix('#') {
        Some(digits) => bits(digits),
        None => decimal(text),
    }
}

fn bits(digits: &str) -> Option<f32> {
    let is_whole = digits.len() == 8 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let bits = u32::from_str_radix(digits, 16).ok()?;
    let value = f32::from_bits(bits);
    (is_whole && value.is_finite()).then_some(value)
}

fn decimal(text: &str) -> Option<f32> {
    let magnitude = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut digits = 0u32;
    for digit in whole.bytes().chain(fraction.bytes()) {
        let digit = char::from(digit).to_digit(10)?;
        digits = digits.checked_mul(10)?.checked_add(digit)?;
    }
    let scale = POWERS_OF_TEN.get(fraction.len())?;
    let value = (digits <= MAX_WHOLE).then_some(digits as f32 / scale)?;
    Some(if text.starts_with('-') { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn a_decimal_is_the_nearest_number_or_none() {
        for digits in (0..=MAX_WHOLE).step_by(9973).chain([MAX_WHOLE]) {
            for places in 0..=10 {
                let text = format!("{digits:0>width$}", width = places + 1);
                let (whole, fraction) = text.split_at(text.len() - places);
                let text = format!("-{whole}.{fraction}");
                let expected: f32 = text.parse().unwrap();
                let found = parse(&text).map(f32::to_bits);
                assert_eq!(found, Some(expected.to_bits()), "{text}");
            }
        }
        for text in ["16777217", "0.00000000001", "4294967296", "99999999999"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "",
            ".",
            "-",
            "-.",
            "+1",
            "--1",
            "1.2.3",
            "1e3",
            "nan",
            "inf",
            "٣",
            " 1",
            "#",
            "#7f800000",
            "#7fc00000",
            "#+f800000",
            "#3f80000",
            "#3f8000000",
            "#3F80000g",
            "-#3f800000",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
        for (text, value) in [("1.", 1.0), (".5", 0.5), ("007", 7.0), ("#bF800000", -1.0)] {
            assert_eq!(parse(text), Some(value), "{text:?}");
        }
        assert!(parse("-0").is_some_and(|zero| zero.is_sign_negative()));
    }
}
