#![no_std]
#![no_main]
//! Tells what each of the models in flash takes on this board, one after another: asked as the
//! sampler is, by `sample N`.
//!
//! ```text
//! > sample 10 seed=7
//! model moons: RealNVP, 8 layers, 2 dimensions, 0 context numbers, 34304 multiply-adds, 40952 bytes, CRC-32 … *…
//! cost 53480 instructions a sample, 53640 instructions a log_prob *…
//! model moons: flow matching, 4 steps, 2 dimensions, 0 context numbers, 8512 multiply-adds, 9952 bytes, CRC-32 … *…
//! cost 51240 instructions a sample *…
//! done 10 samples *…
//! ```
//!
//! A cost is the mean over the samples. The end of all input ends the program.

use flowlet::Model;
use flowlet_protocol::{Answer, Command, Draw, Facts, Form, Spent};
use support::{Board, Draws, Error, Models, Requests, ThisBoard, answer, info, warn};

#[support::entry]
fn main() -> ! {
    support::run(serve)
}

fn serve(board: &mut ThisBoard) -> Result<(), Error> {
    let models = Models::new(support::model_region());
    let (first, file) = models.clone().first()?;
    info!("first model {}", Facts::of(&first, file));
    let mut requests = Requests::new();
    while let Some(command) = requests.command(board)? {
        let draw = match command {
            Command::Model => None,
            Command::Sample(draw) => Some(draw),
            _ => {
                answer(board, Form::Text, &Answer::help())?;
                continue;
            }
        };
        let form = draw.as_ref().map_or(Form::Text, |draw| draw.form);
        for model in models.clone() {
            let (model, file) = model?;
            let facts = Facts::of(&model, file);
            answer(board, form, &Answer::Model(facts))?;
            if let Some(draw) = &draw {
                let cost = cost(board, &model, draw).unwrap_or_else(|error| {
                    warn!("no cost: {}", error);
                    Answer::error(&error)
                });
                answer(board, form, &cost)?;
            }
        }
        if let Some(Draw { count, .. }) = draw {
            info!("compared by {=u32} samples", count);
            answer(board, form, &Answer::Done { count, spent: None })?;
        }
    }
    Ok(())
}

/// What a sample and a log-probability take on average.
fn cost(board: &mut ThisBoard, model: &Model<'_>, draw: &Draw) -> Result<Answer, flowlet::Error> {
    let mut draws = Draws::new(model, draw)?;
    let mut rng = board.random(draw.seed);
    for _ in 0..draw.count {
        draws.sample(board, &mut rng)?;
        draws.log_prob(board)?;
    }
    let each = |spent: Option<Spent>| spent.and_then(|spent| spent.each(draw.count));
    let [sample, log_prob] = draws.spent().map(each);
    Ok(Answer::Cost { sample, log_prob })
}
