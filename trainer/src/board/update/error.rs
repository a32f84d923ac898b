//! Why a board has not taken a new model.

use std::io;

use flowlet_protocol::update::Refusal;

/// Why an update came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// The board said so.
    #[error("the board refuses the model and keeps the one that it has: {}", reason(.0))]
    Refused(Refusal),
    /// The board does not answer.
    #[error(
        "the board does not answer, asked {attempts} times, {seconds} s each: check that it has power and that its firmware is the example `update`"
    )]
    Silent {
        /// How often it was asked.
        attempts: u32,
        /// How long it was waited for, each time.
        seconds: f64,
    },
    /// The board asks for the same over and over.
    #[error(
        "the board asks for the same parts over and over: check the line to it, and start the board anew"
    )]
    NoProgress,
    /// Whatever the line is made of is gone.
    #[error("the board is gone: check its cable and its power, and send the model again")]
    End,
    /// The line is broken.
    #[error("the line to the board is broken")]
    Link(#[from] io::Error),
}

/// What a refusal says, and what to do.
fn reason(refusal: &Refusal) -> String {
    let text = match refusal {
        Refusal::TooLarge { slot_len } => {
            return format!(
                "it is larger than the {slot_len} bytes of a slot; train smaller nets or store them in int8"
            );
        }
        Refusal::NotBegun => "it knows of no update; send the model again",
        Refusal::Data => "a part of the file is longer than it should be; send the model again",
        Refusal::Incomplete => "parts of the file are missing; send the model again",
        Refusal::Checksum => {
            "what its flash holds is not what was sent; send the model again, and if that is of no help, replace the chip"
        }
        Refusal::NotAModel => {
            "its runtime reads no such file; check the file with `flowlet inspect`, or write the model with the flowlet that its firmware is of"
        }
        Refusal::Unfit => {
            "the firmware has not the memory for such a model; train narrower nets, or build the firmware for larger ones"
        }
        Refusal::Flash => {
            "its flash failed; send the model again, and if that is of no help, replace the chip"
        }
        Refusal::Full => {
            "there is no room for the record of another update; `flowlet flash FILE --board BOARD --example update --model-only` writes the model and erases the records"
        }
    };
    text.into()
}
