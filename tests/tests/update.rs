//! A new model for a running board: what arrives, what does not, and what the power leaves.
//!
//! All against the firmware in QEMU; on a simulated flash, the tests of `flowlet-protocol` try more.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::time::Duration;

use flowlet::Precision;
use flowlet_protocol::Command;
use flowlet_protocol::update::{Refusal, Reply, Request};
use flowlet_tests::faulty_link::{Fault, FaultyLink, NOISE};
use flowlet_tests::random_flow::{Shape, random_flow};
use flowlet_tests::update_board::{UpdateBoard, ask, has, requests};
use flowlet_trainer::board::Board;
use flowlet_trainer::board::link::Link;
use flowlet_trainer::board::update::{Patience, Power, Session, UpdateError, flash_with, send};
use flowlet_trainer::export::export;
use flowlet_trainer::flow::{Activation, FlowKind};
use flowlet_trainer::model_file::ModelFile;

/// One of each kind of core and of flash.
const BOARDS: [Board; 3] = [Board::QemuM4, Board::QemuM0, Board::QemuRv32];

/// Short, for frames that get lost on purpose; a request that is sent again while the board still works does no
/// harm.
const PATIENCE: Patience = Patience {
    silence: Duration::from_millis(400),
    attempts: 50,
    erasure: Duration::ZERO,
};

const SHAPE: Shape<'_> = Shape {
    whitened: false,
    dim: 2,
    context_dim: 0,
    kind: FlowKind::RealNvp { scale_clip: 2.0 },
    net_count: 2,
    hidden: &[4],
    activation: Activation::Tanh,
};

/// A model of few bytes, so that there are few places for a power cut.
fn model(name: &str, shape: Shape<'_>, seed: u64) -> ModelFile {
    let mut flow = random_flow(shape, seed);
    flow.name = name.into();
    export(&flow, Precision::F32).unwrap()
}

fn old() -> ModelFile {
    model("old", SHAPE, 0)
}

/// Of a size of its own, and more than one part.
fn new() -> ModelFile {
    let shape = Shape {
        hidden: &[6],
        ..SHAPE
    };
    let file = model("new", shape, 1);
    assert!(file.bytes().len() > 256 && file.bytes().len() != old().bytes().len());
    file
}

fn board_with(board: Board, file: &ModelFile) -> UpdateBoard {
    let update_board = UpdateBoard::new(board);
    update_board.lay(&flash_with(board, file).unwrap());
    update_board
}

fn update(link: &mut impl Link, file: &ModelFile) -> Result<(), UpdateError> {
    send(link, file.bytes(), PATIENCE, &mut |_| {}).map(drop)
}

#[test]
fn every_board_takes_a_model_and_samples_it_at_once() {
    for board in Board::QEMU {
        let (old, new) = (old(), new());
        let running = board_with(board, &old);
        let mut session = running.start(Power::Endless);
        assert!(has(&mut session, &old), "{board}");
        update(session.link(), &new).unwrap();
        assert!(has(&mut session, &new), "{board}");
        session.end().unwrap();
        // It is what the board starts with from then on.
        let mut session = running.start(Power::Endless);
        assert!(has(&mut session, &new), "{board}");
    }
}

#[test]
fn a_board_without_a_model_says_so_and_takes_its_first() {
    let board = Board::QemuM4;
    let running = board_with(board, &old());
    let len = running.flash().len();
    running.lay(&vec![0xFF; len]);
    let mut session = running.start(Power::Endless);
    let answer = session.ask(&Command::Model, Duration::from_secs(60));
    assert!(
        answer
            .unwrap()
            .contains("error this is not a flowlet model")
    );
    update(session.link(), &new()).unwrap();
    assert!(has(&mut session, &new()));
}

#[test]
fn each_fault_of_each_frame_costs_time_and_nothing_else() {
    for board in BOARDS {
        let (old, new) = (old(), new());
        let running = board_with(board, &old);
        let mut session = running.start(Power::Endless);
        assert!(has(&mut session, &old));
        for index in 0..requests(new.bytes()).len() {
            for fault in Fault::ALL {
                let mut link = FaultyLink::new(session.link(), index, fault);
                update(&mut link, &new).unwrap();
                assert!(has(&mut session, &new), "{board}: frame {index}: {fault:?}");
                update(session.link(), &old).unwrap();
                assert!(has(&mut session, &old), "{board}: frame {index}: {fault:?}");
            }
        }
        session.end().unwrap();
    }
}

#[test]
fn without_being_sent_again_a_frame_that_is_missing_or_late_leaves_the_old_model() {
    for board in BOARDS {
        let (old, new) = (old(), new());
        let running = board_with(board, &old);
        let mut session = running.start(Power::Endless);
        let frames = requests(new.bytes());
        for i in 0..frames.len() {
            let missing = [&frames[..i], &frames[i + 1..]].concat();
            let mut swapped = frames.clone();
            if i + 1 < frames.len() {
                swapped.swap(i, i + 1);
            } else {
                swapped.pop();
            }
            for sent in [missing, swapped] {
                let replies = sent.iter().map(|request| ask(session.link(), request));
                assert_ne!(replies.last(), Some(Reply::Active), "{board}: frame {i}");
                assert!(has(&mut session, &old), "{board}: frame {i}");
            }
        }
        session.end().unwrap();
    }
}

#[test]
fn noise_leaves_a_board_that_samples_and_takes_a_model() {
    for board in BOARDS {
        let (old, new) = (old(), new());
        let running = board_with(board, &old);
        let mut session = running.start(Power::Endless);
        let mut state = 1u32;
        for _ in 0..20 {
            let random = (0..997).map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            });
            let random: Vec<u8> = random.collect();
            session.link().send(&random).unwrap();
            session.link().send(NOISE).unwrap();
        }
        // Whatever line or frame the noise has begun ends there.
        session.link().send(b"\n\0").unwrap();
        update(session.link(), &new).unwrap();
        assert!(has(&mut session, &new), "{board}");
        session.end().unwrap();
    }
}

/// Everything that can be refused, each with what it is refused for.
fn refused(board: Board) -> Vec<(ModelFile, Refusal)> {
    let file = |bytes: &[u8]| ModelFile::from_bytes("refused", bytes);
    let mut damaged = new().bytes().to_vec();
    damaged[100] ^= 1;
    let slot_len = flash_with(board, &old()).unwrap().len() / 2 - 2048;
    let wide = Shape {
        hidden: &[72],
        ..SHAPE
    };
    let many = Shape {
        dim: 17,
        hidden: &[64],
        ..SHAPE
    };
    vec![
        (file(&[]), Refusal::NotAModel),
        (file(&[7; 1000]), Refusal::NotAModel),
        (file(&damaged), Refusal::NotAModel),
        (file(&new().bytes()[..200]), Refusal::NotAModel),
        (model("wide", wide, 2), Refusal::Unfit),
        (model("many", many, 3), Refusal::Unfit),
        (
            file(&vec![7; slot_len + 1]),
            Refusal::TooLarge {
                slot_len: slot_len as u32,
            },
        ),
    ]
}

#[test]
fn what_the_board_cannot_use_is_refused_for_its_reason_and_leaves_the_old_model() {
    for board in BOARDS {
        let (old, new) = (old(), new());
        let running = board_with(board, &old);
        let mut session = running.start(Power::Endless);
        for (file, refusal) in refused(board) {
            let error = update(session.link(), &file).unwrap_err();
            assert!(
                matches!(error, UpdateError::Refused(found) if found == refusal),
                "{board}: {error} instead of {refusal:?}"
            );
            assert!(has(&mut session, &old), "{board}: {refusal:?}");
        }
        // The largest net that the firmware has the memory for.
        let widest = Shape {
            dim: 16,
            hidden: &[64],
            ..SHAPE
        };
        for file in [model("widest", widest, 4), new] {
            update(session.link(), &file).unwrap();
            assert!(has(&mut session, &file), "{board}");
        }
        session.end().unwrap();
    }
}

#[test]
fn a_page_that_is_full_of_records_takes_no_update() {
    for board in BOARDS {
        let (old, new) = (old(), new());
        let running = board_with(board, &old);
        let mut flash = running.flash();
        // All of slot A, as if there had been as many updates.
        let start = flash.len() - 4096;
        flash[start..].copy_from_slice(&0xA5A5_5A5A_u32.to_le_bytes().repeat(1024));
        running.lay(&flash);
        let mut session = running.start(Power::Endless);
        let error = update(session.link(), &new).unwrap_err();
        assert!(
            matches!(error, UpdateError::Refused(Refusal::Full)),
            "{board}: {error}"
        );
        assert!(has(&mut session, &old), "{board}");
        // With one word left it takes one.
        flash[start + 4092..].fill(0xFF);
        running.lay(&flash);
        let mut session = running.start(Power::Endless);
        update(session.link(), &new).unwrap();
        assert!(has(&mut session, &new), "{board}");
        let error = update(session.link(), &old).unwrap_err();
        assert!(matches!(error, UpdateError::Refused(Refusal::Full)));
        assert!(has(&mut session, &new), "{board}");
    }
}

/// The board starts with what a run has left, has one of the two models, and takes the new one.
fn assert_recovers(running: &UpdateBoard, expected: &ModelFile, position: &str) {
    let mut session = running.start(Power::Endless);
    assert!(has(&mut session, expected), "{}: {position}", running.board);
    let new = new();
    update(session.link(), &new).unwrap();
    assert!(has(&mut session, &new), "{}: {position}", running.board);
    session.end().unwrap();
}

/// Runs on a board each of its own, so that they run side by side.
macro_rules! boards {
    ($($name:ident: $board:ident,)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn a_power_cut_after_any_write_leaves_a_model_that_samples_and_can_be_replaced() {
                cut_after_each_write(Board::$board);
            }

            #[test]
            fn a_power_cut_after_any_frame_leaves_a_model_that_samples_and_can_be_replaced() {
                cut_after_each_frame(Board::$board);
            }
        }
    )*};
}

boards! {
    qemu_m0: QemuM0,
    qemu_m4: QemuM4,
    qemu_rv32: QemuRv32,
}

/// Writes of an update with the new model: a page that is erased, each word, and the record.
///
/// README.md tells it.
const WRITE_COUNT: u32 = 72;

#[test]
fn the_readme_tells_after_how_many_writes_the_power_is_cut() {
    let words = new().bytes().len() as u32 / 4;
    assert_eq!(WRITE_COUNT, 1 + words + 1);
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&format!("after each of the {WRITE_COUNT} writes")));
}

fn cut_after_each_write(board: Board) {
    let (old, new) = (old(), new());
    let fresh = flash_with(board, &old).unwrap();
    let running = UpdateBoard::new(board);
    for count in 0.. {
        running.lay(&fresh);
        let mut session = running.start(Power::Writes(count));
        match update(session.link(), &new) {
            Err(UpdateError::End) => {
                let error = session.end().unwrap_err().to_string();
                assert!(error.contains("the power is cut"), "{board}: {error}");
                assert_recovers(&running, &old, &format!("after {count} writes"));
            }
            // The power lasts for all writes.
            Ok(()) => {
                session.kill().unwrap();
                assert_recovers(&running, &new, "after all writes");
                println!("{board}: {} positions of a power cut", count + 1);
                assert_eq!(count, WRITE_COUNT, "{board}");
                return;
            }
            Err(error) => panic!("{board}: after {count} writes: {error}"),
        }
    }
}

fn cut_after_each_frame(board: Board) {
    let (old, new) = (old(), new());
    let fresh = flash_with(board, &old).unwrap();
    let running = UpdateBoard::new(board);
    let frames: Vec<Request<'_>> = requests(new.bytes());
    for count in 0..=frames.len() {
        running.lay(&fresh);
        let mut session: Session = running.start(Power::Endless);
        for request in &frames[..count] {
            ask(session.link(), request);
        }
        session.kill().unwrap();
        let is_whole = count == frames.len();
        let expected = if is_whole { &new } else { &old };
        assert_recovers(&running, expected, &format!("after {count} frames"));
    }
}
