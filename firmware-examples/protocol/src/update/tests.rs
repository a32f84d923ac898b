//! Updates against a simulated flash: power cuts, frames that get lost, come twice, out of order or damaged.

use std::vec;
use std::vec::Vec;

use super::simulated::{GEOMETRIES, LITTLE, SimulatedFlash};
use super::*;
use crate::frame::{FrameReader, MAX_LEN, encode};
use flowlet::format::{MAGIC, crc32_after};

static OLD: &[u8] = include_bytes!("../../../../runtime/src/moons.flow");

/// The old model under another name, of the same length, so that the two are told apart.
fn new() -> Vec<u8> {
    let mut bytes = OLD.to_vec();
    let at = bytes.windows(5).position(|name| name == b"moons").unwrap();
    bytes[at] = b'M';
    let end = bytes.len() - 4;
    let crc = crc32_after(0, &bytes[..end]);
    bytes[end..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn fits(model: &Model<'_>) -> bool {
    model.dim() == 2
}

fn board(flash: SimulatedFlash) -> Updater<SimulatedFlash> {
    Updater::new(flash, fits)
}

/// Little flash with the old model.
fn fresh() -> SimulatedFlash {
    SimulatedFlash::new(LITTLE, OLD)
}

/// The name of a board's active model, which has to load.
fn name(board: &Updater<SimulatedFlash>) -> std::string::String {
    let slot = board.active();
    let bytes = board.flash().slot(slot);
    assert!(bytes.starts_with(&MAGIC), "{slot:?} holds no model");
    let length = u32::from_le_bytes(bytes[8..12].try_into().unwrap());
    let model = Model::from_bytes(&bytes[..length as usize]).unwrap();
    model.name().into()
}

fn begin(file: &[u8]) -> Request<'static> {
    Request::Begin {
        length: file.len() as u32,
        checksum: crc32_after(0, file),
    }
}

/// All requests of an update.
fn requests(file: &[u8]) -> Vec<Request<'_>> {
    let parts = file.chunks(MAX_DATA_LEN).enumerate();
    let parts = parts.map(|(i, bytes)| Request::Data {
        offset: (i * MAX_DATA_LEN) as u32,
        bytes,
    });
    let all = [begin(file)].into_iter().chain(parts);
    all.chain([Request::Finish]).collect()
}

fn send(board: &mut Updater<SimulatedFlash>, requests: &[Request<'_>]) -> Reply {
    let replies = requests.iter().map(|request| board.handle(request));
    replies.last().unwrap()
}

#[test]
fn an_update_replaces_the_model_and_the_next_one_replaces_that() {
    let new = new();
    let mut board = board(fresh());
    assert_eq!(name(&board), "moons");
    assert_eq!(send(&mut board, &requests(&new)), Reply::Active);
    assert_eq!((name(&board), board.active()), ("Moons".into(), Slot::B));
    assert_eq!(send(&mut board, &requests(OLD)), Reply::Active);
    assert_eq!((name(&board), board.active()), ("moons".into(), Slot::A));
}

#[test]
fn a_power_cut_in_any_write_leaves_a_model_that_loads_and_can_be_replaced() {
    let new = new();
    let mut positions = 0;
    for geometry in GEOMETRIES {
        let first = SimulatedFlash::new(geometry, OLD);
        let mut whole = board(first.clone());
        send(&mut whole, &requests(&new));
        let write_count = whole.flash().done;
        let pages = OLD.len().div_ceil(geometry.erased_len);
        let writes = OLD.len().div_ceil(geometry.written_len);
        assert_eq!(write_count, pages + writes + 1, "{}", geometry.board);
        for left in 0..=write_count {
            let mut flash = first.clone();
            flash.left = left;
            let mut cut = board(flash);
            send(&mut cut, &requests(&new));
            let mut flash = cut.into_flash();
            let expected = if left == write_count {
                "Moons"
            } else {
                "moons"
            };
            // With power again, all is as if nothing had been.
            flash.left = usize::MAX;
            let mut again = board(flash);
            let position = std::format!("{}: after {left} writes", geometry.board);
            assert_eq!(name(&again), expected, "{position}");
            assert_eq!(send(&mut again, &requests(&new)), Reply::Active);
            assert_eq!(name(&again), "Moons", "{position}");
        }
        positions += write_count + 1;
    }
    // As README.md has it.
    assert_eq!(positions, 8295);
}

#[test]
fn a_record_of_which_bits_are_missing_counts_for_nothing() {
    let mut flash = fresh();
    for slot in [Slot::A, Slot::B] {
        flash.records_mut()[0] = slot.other().word();
        let zeros = !slot.word();
        let mut written = zeros;
        // Every set of the bits that the word clears.
        while written != 0 {
            written = (written - 1) & zeros;
            flash.records_mut()[1] = !written;
            let torn = board(flash);
            assert_eq!(torn.active(), slot.other(), "{written:#x} of {zeros:#x}");
            let is_seen = written != 0;
            assert_eq!(torn.free_record(), Ok(1 + usize::from(is_seen)));
            flash = torn.into_flash();
        }
    }
}

#[test]
fn a_power_cut_after_any_frame_leaves_the_old_model() {
    let new = new();
    let requests = requests(&new);
    for count in 1..requests.len() {
        let mut cut = board(fresh());
        send(&mut cut, &requests[..count]);
        let mut again = board(cut.into_flash());
        assert_eq!(name(&again), "moons");
        // The computer knows nothing of it and goes on.
        let reply = send(&mut again, &requests[count..]);
        assert_eq!(reply, Reply::Refused(Refusal::NotBegun));
        assert_eq!(name(&again), "moons");
    }
}

#[test]
fn lost_and_swapped_frames_are_asked_for_again_and_doubled_ones_do_no_harm() {
    let new = new();
    let requests = requests(&new);
    for i in 0..requests.len() {
        // Lost: what follows comes to nothing, or is asked for from where it is missing.
        let mut lossy = board(fresh());
        let lost = [&requests[..i], &requests[i + 1..]].concat();
        let reply = send(&mut lossy, &lost);
        let is_finish = i == requests.len() - 1;
        assert_eq!(name(&lossy), "moons", "frame {i} is lost");
        assert_eq!(
            matches!(reply, Reply::Refused(_)),
            !is_finish,
            "frame {i}: {reply:?}"
        );

        let mut echoing = board(fresh());
        let doubled = [&requests[..=i], &requests[i..]].concat();
        assert_eq!(
            send(&mut echoing, &doubled),
            Reply::Active,
            "frame {i} comes twice"
        );
        assert_eq!(name(&echoing), "Moons");

        if i + 1 < requests.len() {
            let mut swapped = requests.clone();
            swapped.swap(i, i + 1);
            let mut board = board(fresh());
            assert_ne!(
                send(&mut board, &swapped),
                Reply::Active,
                "frame {i} comes late"
            );
            assert_eq!(name(&board), "moons");
        }
    }
    // A computer that sends what is asked for gets through, though every other answer is lost.
    let mut board = board(fresh());
    let mut reply = board.handle(&requests[0]);
    while let Reply::Ready { offset } = reply {
        let next = &requests[1 + (offset as usize).div_ceil(MAX_DATA_LEN)];
        board.handle(next);
        reply = board.handle(next);
    }
    assert_eq!((reply, name(&board)), (Reply::Active, "Moons".into()));
}

#[test]
fn a_damaged_bit_in_any_frame_leaves_the_old_model() {
    let new = new();
    let frames: Vec<Vec<u8>> = requests(&new)
        .iter()
        .map(|request| encode(request, &mut [0; MAX_LEN]).unwrap().to_vec())
        .collect();
    for i in 0..frames.len() {
        for bit in [0, 9, 30, 8 * frames[i].len() - 9] {
            let mut sent = frames.clone();
            sent[i][bit / 8] ^= 1 << (bit % 8);
            let mut board = board(fresh());
            let mut reader = FrameReader::new();
            for byte in sent.concat() {
                if reader.push(byte)
                    && let Ok(request) = reader.frame::<Request<'_>>()
                {
                    board.handle(&request);
                }
            }
            // The first zero of a frame only ends what was before it.
            let expected = if bit == 0 && i > 0 { "Moons" } else { "moons" };
            let found = name(&board);
            assert!(
                found == expected || found == "moons",
                "frame {i}, bit {bit}: {found}"
            );
            assert!(bit == 0 || found == "moons", "frame {i}, bit {bit}");
        }
    }
}

#[test]
fn what_cannot_be_used_is_refused_for_its_reason() {
    let refusal = |file: &[u8], flash: SimulatedFlash, fits: fn(&Model<'_>) -> bool| {
        let mut board = Updater::new(flash, fits);
        let requests = requests(file);
        let mut replies = requests.iter().map(|request| board.handle(request));
        let reply = replies.find(|reply| matches!(reply, Reply::Refused(_)));
        assert_eq!(name(&board), "moons");
        reply.unwrap()
    };
    let slot_len = fresh().slot_len() as u32;
    let foreign = vec![7; 1000];
    let mut damaged = new();
    damaged[500] ^= 1;
    let mut full = fresh();
    full.fill_records(Slot::A, 0);
    let mut worn = fresh();
    worn.left = 3;
    for (reply, expected) in [
        (refusal(&foreign, fresh(), fits), Refusal::NotAModel),
        (refusal(&[], fresh(), fits), Refusal::NotAModel),
        (refusal(&damaged, fresh(), fits), Refusal::NotAModel),
        (refusal(&new(), fresh(), |_| false), Refusal::Unfit),
        (refusal(&new(), full, fits), Refusal::Full),
        (refusal(&new(), worn, fits), Refusal::Flash),
    ] {
        assert_eq!(reply, Reply::Refused(expected));
    }
    let large = vec![7; slot_len as usize + 1];
    let reply = board(fresh()).handle(&begin(&large));
    assert_eq!(reply, Reply::Refused(Refusal::TooLarge { slot_len }));

    let mut board = board(fresh());
    board.handle(&begin(&new()));
    let (offset, bytes) = (0, &[1, 2, 3][..]);
    let reply = board.handle(&Request::Data { offset, bytes });
    assert_eq!(reply, Reply::Refused(Refusal::Data));

    let new = new();
    let short = [begin(&new), Request::Finish];
    let mut board = Updater::new(fresh(), fits);
    assert_eq!(
        send(&mut board, &short),
        Reply::Refused(Refusal::Incomplete)
    );

    let mut wrong = requests(&new);
    wrong[0] = Request::Begin {
        length: new.len() as u32,
        checksum: 1,
    };
    let mut board = Updater::new(fresh(), fits);
    assert_eq!(send(&mut board, &wrong), Reply::Refused(Refusal::Checksum));
    assert_eq!(name(&board), "moons");
}
