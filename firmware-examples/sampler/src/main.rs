#![no_std]
#![no_main]
//! Samples the model in flash, on request over a serial line.
//!
//! ```text
//! > sample 2 seed=7
//! sample  0.994681  0.132457  log_prob  -0.071015  bits 3f7ea364 3e07a2ea bd917050 *d23b6c41
//! sample  1.971460  0.410070  log_prob  -0.151505  bits 3ffc58ca 3ed1f4b0 be1b2440 *5b2cb0c9
//! done 2 samples in 213880 instructions *9d1fe3b0
//! ```
//!
//! The bits are those of the point and then of the log-probability. `flowlet_protocol` says what else
//! can be asked for. The end of all input ends the program.

use flowlet::Model;
use flowlet_protocol::{Answer, Command, Draw, Facts, Form};
use support::{Board, Digest, Draws, Error, Models, Requests, ThisBoard, answer};

#[support::entry]
fn main() -> ! {
    support::run(serve)
}

fn serve(board: &mut ThisBoard) -> Result<(), Error> {
    let (model, file) = Models::new(support::model_region()).first()?;
    let mut requests = Requests::new();
    while let Some(command) = requests.command(board)? {
        match command {
            Command::Model => {
                let facts = Facts::of(&model, file.len());
                answer(board, Form::Text, &Answer::Model(facts))?;
            }
            Command::Sample(draw) => sample(board, &model, &draw)?,
            Command::Digest(draw) => digest(board, &model, &draw)?,
            _ => answer(board, Form::Text, &Answer::help())?,
        }
    }
    Ok(())
}

fn sample(board: &mut ThisBoard, model: &Model<'_>, draw: &Draw) -> Result<(), Error> {
    let mut draws = match Draws::new(model, draw) {
        Ok(draws) => draws,
        Err(error) => return Ok(answer(board, draw.form, &Answer::error(&error))?),
    };
    let mut rng = board.random(draw.seed);
    for _ in 0..draw.count {
        let x = draws.sample(board, &mut rng)?.iter().copied().collect();
        let log_prob = draws.log_prob(board)?;
        answer(board, draw.form, &Answer::Sample { x, log_prob })?;
    }
    let (count, spent) = (draw.count, draws.spent_in_all());
    Ok(answer(board, draw.form, &Answer::Done { count, spent })?)
}

fn digest(board: &mut ThisBoard, model: &Model<'_>, draw: &Draw) -> Result<(), Error> {
    let mut draws = match Draws::new(model, draw) {
        Ok(draws) => draws,
        Err(error) => return Ok(answer(board, draw.form, &Answer::error(&error))?),
    };
    let mut rng = board.random(draw.seed);
    let mut digest = Digest::new();
    for _ in 0..draw.count {
        let x = draws.sample(board, &mut rng)?;
        x.iter().for_each(|x| digest.add(*x));
        draws.log_prob(board)?.iter().for_each(|p| digest.add(*p));
    }
    let told = Answer::Digest {
        digest: digest.value(),
        count: draw.count,
        spent: draws.spent_in_all(),
    };
    Ok(answer(board, draw.form, &told)?)
}
