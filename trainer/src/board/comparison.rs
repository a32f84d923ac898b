//! Models side by side on a board, with what each takes there.

use flowlet_protocol::frame::FrameReader;
use flowlet_protocol::{Answer, Command, Facts, Form, Spent};

use super::error::tail;
use super::firmware::Chosen;
use super::fit::{check_fit, image};
use super::log::LogFile;
use super::request::time_limit;
use super::{Board, BoardError, Launch, Progress, Request, emulator};
use crate::error::Error;
use crate::model_file::ModelFile;

/// What a model takes on a board.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelCost {
    /// What the board says of the model.
    pub facts: Facts,
    /// Of one sample, on average; none where the board does not count.
    pub sample: Option<Spent>,
    /// Of one log-probability, on average, where the model has them.
    pub log_prob: Option<Spent>,
}

/// Runs the firmware `compare` on several models, one after another, and gives back what each takes.
///
/// # Errors
///
/// As [`run`](super::run).
pub fn compare(
    board: Board,
    files: &[&ModelFile],
    request: &Request,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<ModelCost>, Error> {
    let mut limit = std::time::Duration::ZERO;
    let mut input = String::new();
    for file in files {
        let model = file.model()?;
        let draw = request.draw(&model, Form::Frames)?;
        limit += time_limit(board, &model, request);
        input = format!("{}\n", Command::Sample(draw));
    }
    check_fit(board, files)?;
    board.machine()?.emulator.check()?;
    progress(Progress::Building);
    let log = request.log.as_ref();
    let program = Chosen::with_log(board, "compare", request.program.as_deref(), log)?;
    let log = LogFile::of(log, &program.path())?;
    let launch = Launch {
        program: &program.path(),
        image: &image(files),
        input: &input,
        plugin: None,
        limit,
    };
    progress(Progress::Sampled(0));
    let output = emulator::run_logging(board, &launch, log.as_ref(), &mut |_| {})?;
    Ok(read(board, &output, files.len())?)
}

/// The costs in a stream of frames: `count` of them, then the end.
fn read(board: Board, output: &[u8], count: usize) -> Result<Vec<ModelCost>, BoardError> {
    let problem = |problem: String| BoardError::Transcript {
        problem,
        tail: tail(&String::from_utf8_lossy(output)),
    };
    let mut reader = FrameReader::new();
    let (mut costs, mut facts, mut done) = (vec![], None, false);
    for byte in output {
        if !reader.push(*byte) {
            continue;
        }
        match reader.frame().map_err(|error| problem(error.to_string()))? {
            Answer::Model(of_model) => facts = Some(of_model),
            Answer::Cost { sample, log_prob } => costs.push(ModelCost {
                facts: facts
                    .take()
                    .ok_or_else(|| problem("a cost is of no model".into()))?,
                sample,
                log_prob,
            }),
            Answer::Done { .. } => done = true,
            Answer::Error(message) => {
                let message = message.as_str().into();
                return Err(BoardError::Refused { board, message });
            }
            other => return Err(problem(format!("{other:?} was not asked for"))),
        }
    }
    if !done {
        return Err(problem("the end is missing".into()));
    }
    match costs.len() {
        found if found == count => Ok(costs),
        found => Err(problem(format!("there are {found} models of {count}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flowlet_protocol::frame::{MAX_LEN, encode};

    static MOONS: &[u8] = include_bytes!("../../../runtime/src/moons.flow");

    fn stream(answers: &[Answer]) -> Vec<u8> {
        let frames = answers
            .iter()
            .map(|answer| encode(answer, &mut [0; MAX_LEN]).unwrap().to_vec());
        frames.flatten().collect()
    }

    #[test]
    fn costs_are_read_with_their_models_and_what_is_missing_is_told() {
        let file = ModelFile::from_bytes("moons", MOONS);
        let facts = Facts::of(&file.model().unwrap(), MOONS);
        let cost = Answer::Cost {
            sample: Some(Spent::Cycles(7)),
            log_prob: None,
        };
        let done = Answer::Done {
            count: 1,
            spent: None,
        };
        let whole = [Answer::Model(facts.clone()), cost.clone(), done.clone()];
        let costs = read(Board::QemuM4, &stream(&whole), 1).unwrap();
        assert_eq!(costs[0].facts, facts);
        assert_eq!(costs[0].sample, Some(Spent::Cycles(7)));

        let problem = |answers: &[Answer], count| {
            let error = read(Board::QemuM4, &stream(answers), count).unwrap_err();
            error.to_string()
        };
        assert!(problem(&whole, 2).contains("there are 1 models of 2"));
        assert!(problem(&whole[..2], 1).contains("the end is missing"));
        assert!(problem(&[cost, done], 1).contains("a cost is of no model"));
        let error = Answer::error(&"the battery is low");
        assert!(problem(&[error], 1).contains("qemu-m4 says: the battery is low"));
    }

    #[test]
    fn a_board_tells_what_each_of_two_models_takes() {
        let file = ModelFile::from_bytes("moons", MOONS);
        let request = Request::new(3);
        for board in [Board::QemuM4, Board::QemuRv32] {
            let costs = compare(board, &[&file, &file], &request, &mut |_| {}).unwrap();
            assert_eq!(costs.len(), 2);
            let Some(Spent::Instructions(n)) = costs[0].sample else {
                panic!("{board} counts nothing");
            };
            // A multiply-add takes an instruction at least, and in software floats a few hundred.
            let macs = u64::from(costs[0].facts.mac_count);
            assert!((macs..1000 * macs).contains(&n), "{n}");
            assert!(costs[1].log_prob.is_some());
        }
    }
}
