//! A new model for a board that runs the example `update`, over any [`Link`].

mod error;
mod image;
mod run;
mod session;

use std::time::{Duration, Instant};

use flowlet::format::crc32_after;
use flowlet_protocol::Answer;
use flowlet_protocol::frame::{self, FrameReader};
use flowlet_protocol::update::{MAX_DATA_LEN, Refusal, Reply, Request};

use super::Board;
use super::link::{Link, Received};
use super::machine::Pages;

pub use error::UpdateError;
pub(super) use image::layout;
pub use image::{check_slot, flash_with};
pub use run::{Stage, Updated, request_for, run};
pub use session::{Power, Session};

/// How long a board is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Until a request is sent again.
    pub silence: Duration,
    /// Times that a request is sent.
    pub attempts: u32,
    /// What erasing the slot takes at most, which the first request is waited for in addition.
    pub erasure: Duration,
}

impl Patience {
    /// That for a board which takes a file of `len` bytes.
    pub fn with(board: Board, len: usize) -> Self {
        let Pages {
            len: page_len,
            time,
        } = board.pages();
        Self {
            erasure: time * len.div_ceil(page_len) as u32,
            ..Self::default()
        }
    }

    /// How often a request is sent: while the slot is being erased, again and again.
    fn attempts_for(self, now: Next) -> u32 {
        let erasing = self.erasure.as_millis() / self.silence.as_millis().max(1);
        match now {
            Next::Begin => self.attempts + erasing as u32,
            _ => self.attempts,
        }
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(3),
            attempts: 5,
            erasure: Duration::ZERO,
        }
    }
}

/// What an update took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Frames that were sent.
    pub frames: u32,
    /// Those among them that were sent again, for no answer came.
    pub again: u32,
}

/// Sends `file` until the board says that its model is the active one; `progress` is told how many of its
/// bytes the board has.
///
/// # Errors
///
/// [`UpdateError`]; the board then has the model that it had, except where it fell silent after the last
/// request.
pub fn send(
    link: &mut impl Link,
    file: &[u8],
    patience: Patience,
    progress: &mut dyn FnMut(usize),
) -> Result<Sent, UpdateError> {
    let mut sender = Sender {
        link,
        file,
        patience,
        replies: FrameReader::new(),
        unread: vec![].into_iter(),
        sent: Sent::default(),
    };
    let mut next = Next::Begin;
    // Enough for every part to get lost a few times, and an end where a board leads in circles.
    for _ in 0..4 * (file.len() / MAX_DATA_LEN + 4) {
        next = sender.exchange(next)?;
        match next {
            Next::Begin => {}
            Next::Data(offset) => progress(offset),
            Next::Finish => progress(file.len()),
            Next::Done => return Ok(sender.sent),
        }
    }
    Err(UpdateError::NoProgress)
}

/// What is to be sent next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Begin,
    /// The part from there on.
    Data(usize),
    Finish,
    Done,
}

impl Next {
    /// What follows a reply; nothing where the reply is one to an earlier request, come twice.
    fn after(self, reply: &Reply, len: usize) -> Result<Option<Self>, UpdateError> {
        Ok(match (self, *reply) {
            (Self::Begin, Reply::Refused(Refusal::NotBegun)) => None,
            // The board was without power in between.
            (_, Reply::Refused(Refusal::NotBegun)) => Some(Self::Begin),
            (_, Reply::Refused(refusal)) => return Err(UpdateError::Refused(refusal)),
            (Self::Finish, Reply::Active) => Some(Self::Done),
            (_, Reply::Active) => None,
            (now, Reply::Ready { offset }) => {
                let next = Self::from(offset as usize, len);
                next.filter(|next| *next != now && (now != Self::Begin || offset == 0))
            }
        })
    }

    fn from(offset: usize, len: usize) -> Option<Self> {
        match offset {
            offset if offset < len => Some(Self::Data(offset)),
            offset if offset == len => Some(Self::Finish),
            _ => None,
        }
    }

    fn request(self, file: &[u8]) -> Request<'_> {
        match self {
            Self::Begin => Request::Begin {
                length: file.len() as u32,
                checksum: crc32_after(0, file),
            },
            Self::Data(offset) => Request::Data {
                offset: offset as u32,
                bytes: &file[offset..file.len().min(offset + MAX_DATA_LEN)],
            },
            Self::Finish | Self::Done => Request::Finish,
        }
    }
}

struct Sender<'s, L> {
    link: &'s mut L,
    file: &'s [u8],
    patience: Patience,
    replies: FrameReader,
    /// Received, and not looked at.
    unread: std::vec::IntoIter<u8>,
    sent: Sent,
}

impl<L: Link> Sender<'_, L> {
    /// Sends a request, again where nothing answers, and gives what follows.
    fn exchange(&mut self, now: Next) -> Result<Next, UpdateError> {
        let mut buffer = [0; frame::MAX_LEN];
        let frame = frame::encode(&now.request(self.file), &mut buffer)
            .expect("a request with the most data fits into a frame");
        let attempts = self.patience.attempts_for(now);
        for attempt in 0..attempts {
            self.link.send(frame)?;
            self.sent.frames += 1;
            self.sent.again += u32::from(attempt > 0);
            let deadline = Instant::now() + self.patience.silence;
            while let Some(reply) = self.reply(deadline)? {
                if let Some(next) = now.after(&reply, self.file.len())? {
                    return Ok(next);
                }
            }
        }
        Err(UpdateError::Silent {
            attempts,
            seconds: self.patience.silence.as_secs_f64(),
        })
    }

    /// The next reply, whole, before `deadline`.
    fn reply(&mut self, deadline: Instant) -> Result<Option<Reply>, UpdateError> {
        loop {
            for byte in self.unread.by_ref() {
                if self.replies.push(byte)
                    // What else is answered was asked for before.
                    && let Ok(Answer::Update(reply)) = self.replies.frame()
                {
                    return Ok(Some(reply));
                }
            }
            let time = deadline.saturating_duration_since(Instant::now());
            if time.is_zero() {
                return Ok(None);
            }
            match self.link.receive(time)? {
                Received::Bytes(bytes) => self.unread = bytes.into_iter(),
                Received::Silence => return Ok(None),
                Received::End => return Err(UpdateError::End),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// Counts what nobody answers.
    struct Nobody(u32);

    impl Link for Nobody {
        fn send(&mut self, _: &[u8]) -> io::Result<()> {
            self.0 += 1;
            Ok(())
        }

        fn receive(&mut self, _: Duration) -> io::Result<Received> {
            Ok(Received::Silence)
        }
    }

    #[test]
    fn a_board_is_asked_as_long_as_its_slot_may_be_erased() {
        let mut nobody = Nobody(0);
        let patience = Patience {
            silence: Duration::from_secs(3),
            attempts: 5,
            erasure: Duration::from_secs(9),
        };
        let error = send(&mut nobody, b"a model", patience, &mut |_| {}).unwrap_err();
        assert!(matches!(error, UpdateError::Silent { attempts: 8, .. }));
        assert_eq!(nobody.0, 8);
    }

    /// Says once what a board answered before, and then nothing.
    struct Late(Option<Answer>);

    impl Link for Late {
        fn send(&mut self, _: &[u8]) -> io::Result<()> {
            Ok(())
        }

        fn receive(&mut self, _: Duration) -> io::Result<Received> {
            let frame = |answer| {
                let mut buffer = [0; frame::MAX_LEN];
                Received::Bytes(frame::encode(&answer, &mut buffer).unwrap().to_vec())
            };
            Ok(self.0.take().map_or(Received::Silence, frame))
        }
    }

    #[test]
    fn an_answer_to_an_earlier_command_is_no_reply() {
        let sent = |answer| {
            let mut late = Late(Some(answer));
            send(&mut late, b"a model", Patience::default(), &mut |_| {}).unwrap_err()
        };
        for count in [0, 1, 2] {
            let error = sent(Answer::Done { count, spent: None });
            assert!(matches!(error, UpdateError::Silent { .. }), "{error}");
        }
        let error = sent(Answer::Update(Reply::Refused(Refusal::Full)));
        assert!(matches!(error, UpdateError::Refused(Refusal::Full)));
    }

    #[test]
    fn a_slot_is_erased_page_by_page() {
        let erasure = |board, len| Patience::with(board, len).erasure.as_millis();
        assert_eq!(erasure(Board::Stm32f4Discovery, 1), 2000);
        assert_eq!(erasure(Board::Stm32f4Discovery, 256 << 10), 4000);
        assert_eq!(erasure(Board::Nrf52840Dk, 25_216), 7 * 85);
        assert_eq!(erasure(Board::QemuM0, 25_216), 0);
    }
}
