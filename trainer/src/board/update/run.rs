//! An update from start to end in QEMU.

use std::env;

use super::image::{check_slot, flash_with};
use super::session::{Power, Session};
use super::{Patience, Sent, send};
use crate::board::firmware::Chosen;
use crate::board::{Board, BoardRun, Request};
use crate::error::Error;
use crate::model_file::ModelFile;

/// What a board said before and after.
#[derive(Clone, Debug)]
pub struct Updated {
    /// Samples of the model that it had.
    pub before: BoardRun,
    /// Samples of the new one.
    pub after: BoardRun,
    /// What the update took.
    pub sent: Sent,
}

/// How far an update has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The firmware is being built.
    Building,
    /// The board has this many bytes of the file.
    Sent(usize),
}

/// Starts the example `update` in QEMU with the model of `old`, samples that, sends `new`, and samples the
/// active model again.
///
/// `request` is for the new model; of the old one as many samples are drawn, with a context of zeros if it takes
/// one.
///
/// # Errors
///
/// [`Error::Board`] where a file does not fit or something goes wrong on the board, [`Error::Update`] where the board
/// does not take the new model.
pub fn run(
    board: Board,
    old: &ModelFile,
    new: &ModelFile,
    request: &Request,
    progress: &mut dyn FnMut(Stage),
) -> Result<Updated, Error> {
    let flash = flash_with(board, old)?;
    check_slot(board, new)?;
    board.machine()?.emulator.check()?;
    progress(Stage::Building);
    let log = request.log.as_ref();
    let program = Chosen::with_log(board, "update", request.program.as_deref(), log)?;
    progress(Stage::Sent(0));
    let folder = tempfile::tempdir().map_err(|source| Error::Io {
        action: "write to",
        path: env::temp_dir(),
        source,
    })?;
    Session::place(folder.path(), &flash)?;
    let program = program.path();
    let mut session = Session::start_logging(board, &program, folder.path(), Power::Endless, log)?;
    let before = session.sample(old, &request_for(old, request)?)?;
    let sent = send(
        session.link(),
        new.bytes(),
        Patience::default(),
        &mut |count| progress(Stage::Sent(count)),
    );
    let sent = sent.map_err(|error| session.reason(error))?;
    let after = session.sample(new, request)?;
    session.end()?;
    Ok(Updated {
        before,
        after,
        sent,
    })
}

/// What the old model is asked for.
///
/// # Errors
///
/// [`Error::Model`] where the file is none.
pub fn request_for(old: &ModelFile, request: &Request) -> Result<Request, Error> {
    Ok(Request {
        seed: request.seed,
        context: vec![0.0; old.model()?.context_dim()],
        ..Request::new(request.n)
    })
}
