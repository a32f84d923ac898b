//! What the sampler prints, read back to the bit.
//!
//! ```text
//! sample  0.843157 -0.218911  log_prob  -0.412345  bits 3f57d923 be602a34 bed31f3a
//! done: 1 samples
//! ```

use flowlet::{Kind, Model};
use ndarray::Array2;

use super::error::tail;
use super::{BoardError, BoardRun};

/// Whether a line is that of a sample.
pub(super) fn is_sample(line: &str) -> bool {
    line.starts_with("sample ")
}

/// The samples in a transcript: `n` of them, as the model has them.
pub(super) fn parse(transcript: String, model: &Model<'_>, n: u32) -> Result<BoardRun, BoardError> {
    let has_log_prob = matches!(model.kind(), Kind::RealNvp { .. });
    match numbers(&transcript, model.dim(), has_log_prob, n) {
        Ok((samples, log_probs)) => Ok(BoardRun {
            samples,
            log_probs: has_log_prob.then_some(log_probs),
            transcript,
        }),
        Err(problem) => Err(BoardError::Transcript {
            problem,
            tail: tail(&transcript),
        }),
    }
}

/// Points, and log-probabilities or none.
type Numbers = (Array2<f32>, Vec<f32>);

fn numbers(transcript: &str, dim: usize, has_log_prob: bool, n: u32) -> Result<Numbers, String> {
    let (mut points, mut log_probs) = (Vec::new(), Vec::new());
    let mut found = 0;
    for line in transcript.lines().filter(|line| is_sample(line)) {
        found += 1;
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
    if transcript.lines().last() != Some(&format!("done: {n} samples")) {
        return Err("the end is missing".into());
    }
    let points = Array2::from_shape_vec((n as usize, dim), points);
    Ok((points.expect("every sample has `dim` numbers"), log_probs))
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
    use ndarray::array;

    const TWO: &str = "\
moons: RealNVP, 8 layers, 2 dimensions, 0 context numbers
sample  1.000000 -2.000000  log_prob  -0.500000  bits 3f800000 c0000000 bf000000
sample       NaN  0.000000  log_prob       -inf  bits 7fc00000 80000000 ff800000
done: 2 samples
";

    #[test]
    fn numbers_come_back_to_the_bit() {
        let (points, log_probs) = numbers(TWO, 2, true, 2).unwrap();
        assert_eq!(points.row(0), array![1.0, -2.0]);
        assert!(points[[1, 0]].is_nan() && points[[1, 1]].is_sign_negative());
        assert_eq!(log_probs, [-0.5, f32::NEG_INFINITY]);
    }

    #[test]
    fn a_model_without_density_has_points_alone() {
        let (points, log_probs) = numbers(
            "sample  1.000000  bits 3f800000\ndone: 1 samples\n",
            1,
            false,
            1,
        )
        .unwrap();
        assert_eq!(points, array![[1.0]]);
        assert!(log_probs.is_empty());
    }

    #[test]
    fn what_is_wrong_with_a_transcript_is_told() {
        let problem = |text: &str, dim, n| numbers(text, dim, true, n).unwrap_err();
        assert_eq!(problem(TWO, 2, 3), "there are 2 samples of 3");
        assert_eq!(problem(TWO, 3, 2), "sample 1 has 3 numbers");
        assert_eq!(problem(TWO, 1, 2), "sample 1 has 3 numbers");
        for damaged in ["7fc000", "7fc0000x", "+fc00000", "7fc00000 "] {
            let text = TWO.replace("7fc00000", damaged);
            assert_eq!(problem(&text, 2, 2), "sample 2 has no bits", "{damaged}");
        }
        let unfinished = TWO.replace("done: 2 samples\n", "");
        assert_eq!(problem(&unfinished, 2, 2), "the end is missing");
    }
}
