//! A line to a board on which one frame meets with a fault.

use std::io;
use std::time::Duration;

use flowlet_trainer::board::link::{Link, Received};

/// What befalls a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not come.
    Lost,
    /// It comes twice.
    Doubled,
    /// It comes after the next two that are sent.
    Late,
    /// A bit in its middle is another.
    Damaged,
    /// Its first zero is missing.
    NoFirstZero,
    /// Its last zero is missing.
    NoLastZero,
    /// Half of it is missing.
    Halved,
    /// Bytes of no meaning come before it, zeros and ends of lines among them.
    AfterNoise,
}

impl Fault {
    /// Every fault there is.
    pub const ALL: [Self; 8] = [
        Self::Lost,
        Self::Doubled,
        Self::Late,
        Self::Damaged,
        Self::NoFirstZero,
        Self::NoLastZero,
        Self::Halved,
        Self::AfterNoise,
    ];
}

/// Bytes of no meaning.
pub const NOISE: &[u8] = b"\0\x01\xFF\0\0\n\x80\r\nxyz\0\x07model\n\x03\0";

/// A link that does to frame `index` of those sent what `fault` says.
#[derive(Debug)]
pub struct FaultyLink<'l, L> {
    link: &'l mut L,
    index: usize,
    fault: Fault,
    sent: usize,
    /// What comes late, and after which frame.
    late: Option<(usize, Vec<u8>)>,
}

impl<'l, L: Link> FaultyLink<'l, L> {
    /// Lays the fault over `link`.
    pub fn new(link: &'l mut L, index: usize, fault: Fault) -> Self {
        Self {
            link,
            index,
            fault,
            sent: 0,
            late: None,
        }
    }
}

impl<L: Link> Link for FaultyLink<'_, L> {
    fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        let now = self.sent;
        self.sent += 1;
        if now == self.index {
            match self.fault {
                Fault::Late => self.late = Some((now + 2, frame.to_vec())),
                fault => self.link.send(&spoilt(frame, fault))?,
            }
            return Ok(());
        }
        self.link.send(frame)?;
        match self.late.take() {
            Some((after, frame)) if after == now => self.link.send(&frame),
            late => {
                self.late = late;
                Ok(())
            }
        }
    }

    fn receive(&mut self, timeout: Duration) -> io::Result<Received> {
        self.link.receive(timeout)
    }
}

/// What comes of a frame.
fn spoilt(frame: &[u8], fault: Fault) -> Vec<u8> {
    let middle = frame.len() / 2;
    match fault {
        Fault::Lost | Fault::Late => vec![],
        Fault::Doubled => frame.repeat(2),
        Fault::Damaged => {
            let mut frame = frame.to_vec();
            frame[middle] ^= 4;
            frame
        }
        Fault::NoFirstZero => frame[1..].to_vec(),
        Fault::NoLastZero => frame[..frame.len() - 1].to_vec(),
        Fault::Halved => frame[..middle].to_vec(),
        Fault::AfterNoise => [NOISE, frame].concat(),
    }
}
