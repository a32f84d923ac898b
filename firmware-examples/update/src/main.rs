#![no_std]
#![no_main]
//! Samples the active model on request, as the sampler does, and takes a new one over the same serial
//! line, with two slots in flash: `flowlet_protocol::update` says how.
//!
//! A new model counts from the moment it is active. Whatever comes, or does not, the old one stays until
//! then: noise, damaged frames, a model that is none or is too large, no power. Without any model, commands are
//! answered with that. The end of all input ends the program.

mod error;

use flowlet::Model;
use flowlet_protocol::update::{Flash as _, Reply, Request, SCRATCH_LEN, Updater};
use flowlet_protocol::{Answer, Command, Facts, Form, Said};
use support::{Input, Models, ThisBoard, ThisFlash, answer, debug, digest, info, sample, warn};

use error::Error;

#[support::entry]
fn main() -> ! {
    support::run(serve)
}

fn is_fit(model: &Model<'_>) -> bool {
    model.scratch_len() <= SCRATCH_LEN
}

fn serve(board: &mut ThisBoard) -> Result<(), Error> {
    let flash = ThisFlash::take().ok_or(Error::Flash)?;
    let mut updater = Updater::new(flash, is_fit);
    match Models::new(updater.flash().slot(updater.active())).first() {
        Ok((model, file)) => info!("model {}", Facts::of(&model, file)),
        Err(error) => warn!("no model: {}", error),
    }
    let mut input = Input::new();
    while let Some(said) = input.next(board)? {
        match said {
            Said::Request(request) => {
                let reply = updater.handle(&request);
                log(&request, &reply);
                answer(board, Form::Frames, &Answer::Update(reply))?;
            }
            Said::Command(command) => {
                debug!("asked: {}", command);
                // Checked anew each time, for it may be another.
                let slot = updater.flash().slot(updater.active());
                obey(board, Models::new(slot), command)?;
            }
            Said::Unknown(error) => {
                warn!("no command: {}", error);
                answer(board, Form::Text, &Answer::error(&error))?;
            }
            Said::NoLine(error) => {
                warn!("no line: {}", error);
                answer(board, Form::Text, &Answer::error(&error))?;
            }
            // The computer, left without a reply, sends it again.
            Said::NoFrame => {}
        }
    }
    Ok(())
}

fn obey(board: &mut ThisBoard, models: Models<'_>, command: Command) -> Result<(), Error> {
    let (model, file) = match models.first() {
        Ok(first) => first,
        Err(error) => {
            warn!("no model: {}", error);
            return Ok(answer(board, Form::Text, &Answer::error(&error))?);
        }
    };
    match command {
        Command::Model => {
            let facts = Facts::of(&model, file);
            answer(board, Form::Text, &Answer::Model(facts))?;
        }
        Command::Sample(draw) => sample::<SCRATCH_LEN>(board, &model, &draw)?,
        Command::Digest(draw) => digest::<SCRATCH_LEN>(board, &model, &draw)?,
        _ => answer(board, Form::Text, &Answer::help())?,
    }
    Ok(())
}

fn log(request: &Request<'_>, reply: &Reply) {
    match reply {
        Reply::Ready { .. } => debug!("update: {}, then {}", request, reply),
        Reply::Active => info!("the new model is active"),
        Reply::Refused(refusal) => warn!("update refused: {}, to {}", refusal, request),
    }
}
