//! What the sampler prints, read back to the bit.
//!
//! ```text
//! sample  0.843157 -0.218911  log_prob  -0.412345  bits 3f57d923 be602a34 bed31f3a *0b8af16c
//! done 1 samples in 106984 instructions *f6d1b3c2
//! ```

use flowlet::{Kind, Model};
use flowlet_protocol::{Spent, text::strip_checksum};
use ndarray::Array2;

use super::error::tail;
use super::{Board, BoardError, BoardRun};

/// Whether a line is that of a sample.
pub(super) fn is_sample(line: &str) -> bool {
    line.starts_with("sample ")
}

/// The samples in a transcript: `n` of them, as the model has them.
pub(super) fn parse(
    board: Board,
    transcript: String,
    model: &Model<'_>,
    n: u32,
) -> Result<BoardRun, BoardError> {
    if let Some(message) = refusal(&transcript) {
        return Err(BoardError::Refused { board, message });
    }
    let has_log_prob = matches!(model.kind(), Kind::RealNvp { .. });
    match numbers(&transcript, model.dim(), has_log_prob, n) {
        Ok(Numbers {
            points,
            log_probs,
            spent,
        }) => Ok(BoardRun {
            samples: points,
            log_probs: has_log_prob.then_some(log_probs),
            spent,
            transcript,
        }),
        Err(problem) => Err(BoardError::Transcript {
            problem,
            tail: tail(&transcript),
        }),
    }
}

/// The error that the firmware answered with.
fn refusal(transcript: &str) -> Option<String> {
    let mut lines = transcript.lines().filter_map(strip_checksum);
    lines.find_map(|line| line.strip_prefix("error ").map(Into::into))
}

/// Points, log-probabilities or none, and what they took.
#[derive(Debug)]
struct Numbers {
    points: Array2<f32>,
    log_probs: Vec<f32>,
    spent: Option<Spent>,
}

fn numbers(transcript: &str, dim: usize, has_log_prob: bool, n: u32) -> Result<Numbers, String> {
    let (mut points, mut log_probs) = (Vec::new(), Vec::new());
    let mut found = 0;
    for line in transcript.lines().filter(|line| is_sample(line)) {
        found += 1;
        let line = strip_checksum(line).ok_or_else(|| format!("sample {found} is damaged"))?;
        let values = bits(line).ok_or_else(|| format!("sample {found} has no bits"))?;
        let (point, rest) = values.split_at_checked(dim).unwrap_or((&values, &[]));
        if point.len() != dim || rest.len() != usize::from(has_log_prob) {
            return Err(format!("sample {found} has {} numbers", values.len()));
        }
        points.extend(point);
        log_probs.extend(rest);
    }
    if found != n {
        return Err(format!("there are {found} samples of {n}"));
    }
    let last = transcript.lines().last().and_then(strip_checksum);
    let end = last.and_then(|line| line.strip_prefix(&format!("done {n} samples")));
    let end = end.ok_or("the end is missing")?;
    let points = Array2::from_shape_vec((n as usize, dim), points);
    Ok(Numbers {
        points: points.expect("every sample has `dim` numbers"),
        log_probs,
        spent: spent(end),
    })
}

/// What is told after the number of samples.
fn spent(text: &str) -> Option<Spent> {
    let (number, unit) = text.strip_prefix(" in ")?.split_once(' ')?;
    let number = number.parse().ok()?;
    match unit {
        "cycles" => Some(Spent::Cycles(number)),
        "instructions" => Some(Spent::Instructions(number)),
        _ => None,
    }
}

/// The numbers at the end of a line, each of eight hexadecimal digits.
fn bits(line: &str) -> Option<Vec<f32>> {
    let (_, words) = line.split_once(" bits ")?;
    words.split(' ').map(number).collect()
}

fn number(word: &str) -> Option<f32> {
    let whole = word.len() == 8 && word.bytes().all(|digit| digit.is_ascii_hexdigit());
    let bits = whole.then(|| u32::from_str_radix(word, 16).ok())?;
    bits.map(f32::from_bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flowlet::format::crc32_after;
    use ndarray::array;

    const TWO: &str = "\
sample  1.000000 -2.000000  log_prob  -0.500000  bits 3f800000 c0000000 bf000000
sample       NaN  0.000000  log_prob       -inf  bits 7fc00000 80000000 ff800000
done 2 samples in 12 instructions
";

    /// The lines with their checksums.
    fn checked(text: &str) -> String {
        let lines = text.lines();
        let lines = lines.map(|line| format!("{line} *{:08x}\n", crc32_after(0, line.as_bytes())));
        lines.collect()
    }

    #[test]
    fn numbers_come_back_to_the_bit() {
        let found = numbers(&checked(TWO), 2, true, 2).unwrap();
        let points = found.points;
        assert_eq!(points.row(0), array![1.0, -2.0]);
        assert!(points[[1, 0]].is_nan() && points[[1, 1]].is_sign_negative());
        assert_eq!(found.log_probs, [-0.5, f32::NEG_INFINITY]);
        assert_eq!(found.spent, Some(Spent::Instructions(12)));
    }

    #[test]
    fn a_model_without_density_has_points_alone() {
        let text = checked("sample  1.000000  bits 3f800000\ndone 1 samples\n");
        let found = numbers(&text, 1, false, 1).unwrap();
        assert_eq!(found.points, array![[1.0]]);
        assert!(found.log_probs.is_empty() && found.spent.is_none());
    }

    #[test]
    fn what_is_wrong_with_a_transcript_is_told() {
        let problem = |text: &str, dim, n| numbers(text, dim, true, n).unwrap_err();
        let two = checked(TWO);
        assert_eq!(problem(&two, 2, 3), "there are 2 samples of 3");
        assert_eq!(problem(&two, 3, 2), "sample 1 has 3 numbers");
        assert_eq!(problem(&two, 1, 2), "sample 1 has 3 numbers");
        for damaged in ["7fc000", "7fc0000x", "+fc00000", "7fc00000 "] {
            let text = TWO.replace("7fc00000", damaged);
            assert_eq!(
                problem(&checked(&text), 2, 2),
                "sample 2 has no bits",
                "{damaged}"
            );
            let text = two.replace("7fc00000", damaged);
            assert_eq!(problem(&text, 2, 2), "sample 2 is damaged", "{damaged}");
        }
        let unfinished = checked(TWO.split_once("done").unwrap().0);
        assert_eq!(problem(&unfinished, 2, 2), "the end is missing");
    }

    #[test]
    fn a_refusal_is_told_in_the_boards_words() {
        let text = checked("error the model takes 1 context numbers, 0 are given");
        let message = refusal(&text).unwrap();
        assert_eq!(message, "the model takes 1 context numbers, 0 are given");
        assert_eq!(refusal(&checked(TWO)), None);
    }
}
