#![no_main]
//! Whatever is asked for, and whenever the power is cut, the active slot has one of the two models.
//!
//! A byte of the input says what comes next: the next frame of an update, one before or after it, a power cut
//! after some writes, bytes over the line, or a request that is read from them.

use flowlet::Model;
use flowlet::format::crc32_after;
use flowlet_fuzz::{bytes_of, words_of};
use flowlet_protocol::update::simulated::{LITTLE, SimulatedFlash};
use flowlet_protocol::update::{Flash, Reply, Request, Slot, Updater};
use flowlet_protocol::{Said, StreamReader};
use libfuzzer_sys::fuzz_target;

static OLD: &[u8] = include_bytes!("../seeds/model/real_nvp.flow");
static NEW: &[u8] = include_bytes!("../seeds/model/flow_matching.flow");

/// Records that are left, so few that they run out.
const FREE_RECORDS: usize = 6;

/// Bytes of data in a request, so that there are many.
const PART: usize = 8;

fn fits(_: &Model<'_>) -> bool {
    true
}

fn requests() -> Vec<Request<'static>> {
    let begin = Request::Begin {
        length: NEW.len() as u32,
        checksum: crc32_after(0, NEW),
    };
    let parts = NEW
        .chunks(PART)
        .enumerate()
        .map(|(i, bytes)| Request::Data {
            offset: (i * PART) as u32,
            bytes,
        });
    [begin]
        .into_iter()
        .chain(parts)
        .chain([Request::Finish])
        .collect()
}

fn check(board: &Updater<SimulatedFlash>) {
    let slot = board.flash().slot(board.active());
    let len = u32::from_le_bytes(slot[8..12].try_into().expect("four bytes")) as usize;
    let file = slot.get(..len).expect("the active slot has a whole file");
    assert!(
        file == OLD || file == NEW || {
            // One of the fuzzer's own.
            let words = words_of(file);
            Model::from_bytes(&bytes_of(&words)[..len]).is_ok()
        }
    );
}

fn handle(board: &mut Updater<SimulatedFlash>, request: &Request<'_>) {
    let before = board.active();
    let reply = board.handle(request);
    assert!(reply == Reply::Active || board.active() == before);
    check(board);
}

fuzz_target!(|bytes: &[u8]| {
    let requests = requests();
    let mut flash = SimulatedFlash::new(LITTLE, OLD);
    flash.fill_records(Slot::A, FREE_RECORDS);
    let mut board = Updater::new(flash, fits);
    let mut stream = StreamReader::new();
    let (mut next, mut rest) = (0, bytes);
    while let [what, after @ ..] = rest {
        rest = after;
        match what {
            0..128 => {
                handle(&mut board, &requests[next]);
                next = (next + 1) % requests.len();
            }
            128..160 => next = usize::from(*what) % requests.len(),
            160..192 => {
                let mut flash = board.into_flash();
                // The board starts anew, and its power lasts for so many writes.
                flash.left = usize::from(what - 160) * 3;
                board = Updater::new(flash, fits);
                check(&board);
            }
            192..208 => {
                let mut flash = board.into_flash();
                flash.left = usize::MAX;
                board = Updater::new(flash, fits);
            }
            208..224 => {
                let (line, after) = rest.split_at(rest.len().min(usize::from(what - 207)));
                rest = after;
                for byte in line {
                    if stream.push(*byte)
                        && let Said::Request(request) = stream.said()
                    {
                        handle(&mut board, &request);
                    }
                }
            }
            224.. => {
                let Ok((request, after)) = postcard::take_from_bytes::<Request<'_>>(rest) else {
                    continue;
                };
                rest = after;
                handle(&mut board, &request);
            }
        }
    }
});
