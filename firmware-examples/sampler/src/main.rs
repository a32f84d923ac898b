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

use flowlet::MAX_SCRATCH_LEN;
use flowlet_protocol::{Answer, Command, Facts, Form};
use support::{Error, Models, Requests, ThisBoard, answer, digest, info, sample};

#[support::entry]
fn main() -> ! {
    support::run(serve)
}

fn serve(board: &mut ThisBoard) -> Result<(), Error> {
    let (model, file) = Models::new(support::model_region()).first()?;
    info!("model {}", Facts::of(&model, file));
    let mut requests = Requests::new();
    while let Some(command) = requests.command(board)? {
        match command {
            Command::Model => {
                let facts = Facts::of(&model, file);
                answer(board, Form::Text, &Answer::Model(facts))?;
            }
            Command::Sample(draw) => sample::<MAX_SCRATCH_LEN>(board, &model, &draw)?,
            Command::Digest(draw) => digest::<MAX_SCRATCH_LEN>(board, &model, &draw)?,
            _ => answer(board, Form::Text, &Answer::help())?,
        }
    }
    Ok(())
}
