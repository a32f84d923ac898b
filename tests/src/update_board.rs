//! Boards of QEMU that run the example `update`.

use std::path::Path;
use std::time::{Duration, Instant};

use flowlet_protocol::Answer;
use flowlet_protocol::frame::{self, FrameReader};
use flowlet_protocol::update::{MAX_DATA_LEN, Reply, Request};
use flowlet_trainer::board::firmware::{Program, build};
use flowlet_trainer::board::link::{Link, Received};
use flowlet_trainer::board::update::{Power, Session};
use flowlet_trainer::board::{Board, Request as Draw};
use flowlet_trainer::model_file::ModelFile;
use tempfile::TempDir;

/// Each answer takes less than a second; this is for a busy machine.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// A board with a flash of its own.
#[derive(Debug)]
pub struct UpdateBoard {
    /// Which.
    pub board: Board,
    program: Program,
    folder: TempDir,
}

impl UpdateBoard {
    /// A board that has not been started.
    ///
    /// # Panics
    ///
    /// If its firmware cannot be built.
    pub fn new(board: Board) -> Self {
        let program = build(board, "update", None);
        Self {
            board,
            program: program.unwrap_or_else(|error| panic!("{error}")),
            folder: tempfile::tempdir().expect("there is a place for temporary files"),
        }
    }

    /// Lays all of the flash that an update may write.
    pub fn lay(&self, flash: &[u8]) {
        Session::place(self.folder.path(), flash).expect("the folder takes files");
    }

    /// What the board's last run has left.
    pub fn flash(&self) -> Vec<u8> {
        Session::flash(self.folder.path()).expect("the flash has been laid")
    }

    /// Starts it.
    ///
    /// # Panics
    ///
    /// If QEMU does not start.
    pub fn start(&self, power: Power) -> Session {
        let path: &Path = &self.program.path();
        let session = Session::start(self.board, path, self.folder.path(), power);
        session.unwrap_or_else(|error| panic!("{}: {error}", self.board))
    }
}

/// Whether the active model is that of `file`: it has its name, and gives a sample with the bits of this
/// computer.
///
/// # Panics
///
/// If there is no model, or one that gives other samples.
pub fn has(session: &mut Session, file: &ModelFile) -> bool {
    let model = file.model().expect("the file is a model");
    let answer = session.ask(&flowlet_protocol::Command::Model, TIME_LIMIT);
    let answer = answer.unwrap_or_else(|error| panic!("{error}"));
    let found = answer.split_once("model ").map(|(_, rest)| rest);
    let found = found.unwrap_or_else(|| panic!("there is no model: {answer}"));
    if !found.starts_with(&format!("{}:", model.name())) {
        return false;
    }
    let draw = Draw {
        seed: 7,
        ..Draw::new(1)
    };
    let run = session.sample(file, &draw);
    let run = run.unwrap_or_else(|error| panic!("{error}"));
    run.has_bits_of_host(&model, &draw)
        .expect("the draw fits the model")
}

/// All requests of an update.
pub fn requests(file: &[u8]) -> Vec<Request<'_>> {
    let begin = Request::Begin {
        length: file.len() as u32,
        checksum: flowlet::format::crc32_after(0, file),
    };
    let parts = file.chunks(MAX_DATA_LEN).enumerate();
    let parts = parts.map(|(i, bytes)| Request::Data {
        offset: (i * MAX_DATA_LEN) as u32,
        bytes,
    });
    let all = [begin].into_iter().chain(parts);
    all.chain([Request::Finish]).collect()
}

/// Sends a request once, and gives the reply to it.
///
/// # Panics
///
/// If there is none.
pub fn ask(link: &mut impl Link, request: &Request<'_>) -> Reply {
    let mut buffer = [0; frame::MAX_LEN];
    let frame = frame::encode(request, &mut buffer).expect("a request fits into a frame");
    link.send(frame).expect("the board runs");
    let mut reader = FrameReader::new();
    let deadline = Instant::now() + TIME_LIMIT;
    loop {
        let time = deadline.saturating_duration_since(Instant::now());
        let Ok(Received::Bytes(bytes)) = link.receive(time) else {
            panic!("there is no reply to {request:?}");
        };
        for byte in bytes {
            if reader.push(byte)
                && let Ok(Answer::Update(reply)) = reader.frame()
            {
                return reply;
            }
        }
    }
}
