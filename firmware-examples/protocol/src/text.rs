//! Answers as lines, each with a checksum at its end: ` *` and the CRC-32 of all before it.

use core::fmt::{self, Write};

use flowlet::Kind;
use flowlet::format::crc32_after;

use crate::answer::{Answer, Facts, Spent};
use crate::update::Reply;

/// Characters of a checksum, with what parts it from the line.
const CHECKSUM_LEN: usize = 10;

/// Writes an answer as a line.
///
/// # Errors
///
/// Those of `out`.
pub fn write(out: &mut impl Write, answer: &Answer) -> fmt::Result {
    let mut line = Checked { out, crc: 0 };
    write_answer(&mut line, answer)?;
    let crc = line.crc;
    writeln!(out, " *{crc:08x}")
}

/// The line without its checksum, if that is right.
///
/// ```
/// use flowlet_protocol::text::strip_checksum;
///
/// assert_eq!(strip_checksum("done 3 samples *a8c0e66a"), Some("done 3 samples"));
/// assert_eq!(strip_checksum("done 4 samples *a8c0e66a"), None);
/// ```
pub fn strip_checksum(line: &str) -> Option<&str> {
    let (line, checksum) = line.split_at_checked(line.len().checked_sub(CHECKSUM_LEN)?)?;
    let digits = checksum.strip_prefix(" *")?;
    let is_hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let crc = u32::from_str_radix(digits, 16).ok()?;
    (is_hexadecimal && crc == crc32_after(0, line.as_bytes())).then_some(line)
}

fn write_answer(out: &mut impl Write, answer: &Answer) -> fmt::Result {
    match answer {
        Answer::Model(facts) => write_facts(out, facts),
        Answer::Sample { x, log_prob } => write_sample(out, x, *log_prob),
        Answer::Done { count, spent } => {
            write!(out, "done {count} samples")?;
            write_spent(out, " in ", *spent, "")
        }
        Answer::Digest {
            digest,
            count,
            spent,
        } => {
            write!(out, "digest {digest:016x} of {count} samples")?;
            write_spent(out, " in ", *spent, "")
        }
        Answer::Cost { sample, log_prob } => {
            out.write_str("cost")?;
            write_spent(out, " ", *sample, " a sample")?;
            write_spent(out, ", ", *log_prob, " a log_prob")
        }
        Answer::Help(text) => write!(out, "help {text}"),
        Answer::Error(text) => write!(out, "error {text}"),
        Answer::Kept => out.write_str("kept"),
        Answer::Window {
            x,
            log_prob,
            is_strange,
            spent,
        } => {
            let verdict = if *is_strange { "strange" } else { "normal" };
            write!(out, "window {verdict} ")?;
            write_point(out, x, Some(*log_prob))?;
            write_spent(out, " in ", *spent, "")
        }
        Answer::Update(reply) => match reply {
            Reply::Ready { offset } => write!(out, "update ready {offset}"),
            Reply::Active => out.write_str("update active"),
            Reply::Refused(_) => out.write_str("update refused"),
        },
    }
}

fn write_facts(out: &mut impl Write, facts: &Facts) -> fmt::Result {
    write!(out, "model {}: ", facts.name)?;
    match facts.kind {
        Kind::RealNvp { layer_count, .. } => write!(out, "RealNVP, {layer_count} layers")?,
        Kind::FlowMatching { step_count } => write!(out, "flow matching, {step_count} steps")?,
    }
    let Facts {
        dim,
        context_dim,
        file_len,
        checksum,
        mac_count,
        ..
    } = facts;
    write!(
        out,
        ", {dim} dimensions, {context_dim} context numbers, {mac_count} multiply-adds, {file_len} bytes, CRC-32 {checksum:08x}"
    )
}

fn write_sample(out: &mut impl Write, x: &[f32], log_prob: Option<f32>) -> fmt::Result {
    out.write_str("sample")?;
    write_point(out, x, log_prob)
}

fn write_point(out: &mut impl Write, x: &[f32], log_prob: Option<f32>) -> fmt::Result {
    for x in x {
        write!(out, " {x:9.6}")?;
    }
    if let Some(log_prob) = log_prob {
        write!(out, "  log_prob {log_prob:10.6}")?;
    }
    out.write_str("  bits")?;
    for value in x.iter().chain(&log_prob) {
        write!(out, " {:08x}", value.to_bits())?;
    }
    Ok(())
}

fn write_spent(
    out: &mut impl Write,
    before: &str,
    spent: Option<Spent>,
    after: &str,
) -> fmt::Result {
    match spent {
        Some(spent) => write!(out, "{before}{spent}{after}"),
        None => Ok(()),
    }
}

/// Computes the checksum of what goes through.
struct Checked<'w, W> {
    out: &'w mut W,
    crc: u32,
}

impl<W: Write> Write for Checked<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.crc = crc32_after(self.crc, text.as_bytes());
        self.out.write_str(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    fn line(answer: &Answer) -> String {
        let mut line = String::new();
        write(&mut line, answer).unwrap();
        line
    }

    fn sample() -> Answer {
        Answer::Sample {
            x: heapless::Vec::from_slice(&[1.0, -2.0]).unwrap(),
            log_prob: Some(-0.5),
        }
    }

    #[test]
    fn a_line_tells_numbers_bits_and_what_they_took() {
        let text = line(&sample());
        let expected =
            "sample  1.000000 -2.000000  log_prob  -0.500000  bits 3f800000 c0000000 bf000000";
        assert_eq!(strip_checksum(text.trim_end()), Some(expected));
        let spent = Some(Spent::Cycles(12));
        let text = line(&Answer::Done { count: 3, spent });
        let expected = Some("done 3 samples in 12 cycles");
        assert_eq!(strip_checksum(text.trim_end()), expected);
    }

    #[test]
    fn a_window_tells_its_verdict_first() {
        let x = heapless::Vec::from_slice(&[0.5]).unwrap();
        let window = Answer::Window {
            x,
            log_prob: -2.0,
            is_strange: true,
            spent: Some(Spent::Cycles(9)),
        };
        let expected =
            "window strange   0.500000  log_prob  -2.000000  bits 3f000000 c0000000 in 9 cycles";
        assert_eq!(strip_checksum(line(&window).trim_end()), Some(expected));
        assert_eq!(strip_checksum(line(&Answer::Kept).trim_end()), Some("kept"));
    }

    #[test]
    fn a_line_with_any_other_byte_is_refused() {
        let text = line(&sample());
        let text = text.trim_end();
        for i in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[i] ^= 1;
            let damaged = String::from_utf8(bytes).unwrap();
            assert_eq!(strip_checksum(&damaged), None, "{damaged}");
            assert_eq!(strip_checksum(&text[..i]), None);
        }
        assert_eq!(strip_checksum("é*00000000"), None);
    }
}
