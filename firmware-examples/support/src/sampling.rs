//! Answers to those who ask for samples.

use flowlet::Model;
use flowlet_protocol::{Answer, Draw};

use crate::{Board, Digest, Draws, Error, answer, info, warn};

/// Draws samples with `LEN` words of scratch and tells each.
///
/// # Errors
///
/// [`Error::Console`]; what the model cannot do is answered.
pub fn sample<const LEN: usize>(
    board: &mut impl Board,
    model: &Model<'_>,
    draw: &Draw,
) -> Result<(), Error> {
    let mut draws = match Draws::<LEN>::with_scratch(model, draw) {
        Ok(draws) => draws,
        Err(error) => return refuse(board, draw, error),
    };
    let mut rng = board.random(draw.seed);
    for _ in 0..draw.count {
        let x = draws.sample(board, &mut rng)?.iter().copied().collect();
        let log_prob = draws.log_prob(board)?;
        answer(board, draw.form, &Answer::Sample { x, log_prob })?;
    }
    let (count, spent) = (draw.count, draws.spent_in_all());
    info!("sampled {=u32}", count);
    Ok(answer(board, draw.form, &Answer::Done { count, spent })?)
}

/// Draws samples with `LEN` words of scratch and tells one number that stands for all.
///
/// # Errors
///
/// As [`sample`].
pub fn digest<const LEN: usize>(
    board: &mut impl Board,
    model: &Model<'_>,
    draw: &Draw,
) -> Result<(), Error> {
    let mut draws = match Draws::<LEN>::with_scratch(model, draw) {
        Ok(draws) => draws,
        Err(error) => return refuse(board, draw, error),
    };
    let mut rng = board.random(draw.seed);
    let mut digest = Digest::new();
    for _ in 0..draw.count {
        let x = draws.sample(board, &mut rng)?;
        x.iter().for_each(|x| digest.add(*x));
        draws.log_prob(board)?.iter().for_each(|p| digest.add(*p));
    }
    info!("sampled {=u32} for a digest", draw.count);
    let told = Answer::Digest {
        digest: digest.value(),
        count: draw.count,
        spent: draws.spent_in_all(),
    };
    Ok(answer(board, draw.form, &told)?)
}

fn refuse(board: &mut impl Board, draw: &Draw, error: flowlet::Error) -> Result<(), Error> {
    warn!("no samples: {}", error);
    Ok(answer(board, draw.form, &Answer::error(&error))?)
}
