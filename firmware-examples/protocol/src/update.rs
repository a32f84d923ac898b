//! A new model over the serial line, into flash with two slots, so that a power cut at any moment leaves
//! a model that works.
//!
//! The computer sends [`Request`]s in [`frame`](crate::frame)s and the board answers each with a [`Reply`], which is
//! one of its [`Answer`](crate::Answer)s; a request without a reply is sent again.
//!
//! ```text
//! Begin { length, checksum }  → Ready { offset: 0 }      the inactive slot is erased, as far as the file goes
//! Data { offset, bytes }      → Ready { offset: next }   written, if it is what comes next
//! Finish                      → Active                   read back, verified, activated
//! ```
//!
//! Data that came before is answered with what comes next and not written again, so doubled frames do no
//! harm; data that comes too early is answered likewise, and has to be sent again in its turn.
//!
//! Which slot is active is told by a record of one word in flash for each update, one after another; the
//! last that is whole counts, see [`Updater::active`]. Activation writes one word. A power cut may leave a part of
//! its zeros, which is no slot's record: those of the two slots have no zero in common. Records are never erased,
//! since nothing would then tell the slot: a page of 4 KB has room for 1,024 updates, and the next is refused.

mod layout;

use flowlet::Model;
use flowlet::format::crc32_after;
use serde::{Deserialize, Serialize};

pub use layout::{Layout, PAGE_LEN};

/// Bytes of data in a request, at most.
pub const MAX_DATA_LEN: usize = 256;

/// Words of scratch that the firmware `update` has: for layers of up to 64 numbers, or twice as many where they
/// are integers, and points of up to 16.
pub const SCRATCH_LEN: usize = 2 * 64 + 16;

/// Flash with two slots for models and a page of records.
pub trait Flash {
    /// What a failed operation gives.
    type Error;

    /// The bytes of a slot, on a word boundary, as flash is mapped to memory.
    fn slot(&self, slot: Slot) -> &[u8];

    /// The words of the page of records; all ones where nothing is written.
    fn records(&self) -> &[u32];

    /// Sets all bits of the first `len` bytes of a slot, and of as many after them as go with them.
    ///
    /// # Errors
    ///
    /// As the flash has it.
    fn erase_slot(&mut self, slot: Slot, len: usize) -> Result<(), Self::Error>;

    /// Writes erased words of a slot from `offset`, a multiple of 4, on.
    ///
    /// # Errors
    ///
    /// As the flash has it.
    fn write_slot(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> Result<(), Self::Error>;

    /// Writes one erased word of the records; of one that is cut short, any of the zeros may be missing.
    ///
    /// # Errors
    ///
    /// As the flash has it.
    fn write_record(&mut self, index: usize, word: u32) -> Result<(), Self::Error>;
}

/// One of the two places for a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Slot {
    /// The one that counts before any update.
    A,
    /// The other.
    B,
}

impl Slot {
    /// The slot that this is not.
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// The word of a record: no two are one bit apart, nor are they from what is erased.
    const fn word(self) -> u32 {
        match self {
            Self::A => 0xA5A5_5A5A,
            Self::B => 0x5A5A_A5A5,
        }
    }
}

/// What the computer sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request<'a> {
    /// A file of this length and CRC-32 comes.
    Begin {
        /// Bytes of the file.
        length: u32,
        /// CRC-32 of all of them.
        checksum: u32,
    },
    /// A part of the file.
    Data {
        /// Where in the file, a multiple of 4.
        offset: u32,
        /// At most [`MAX_DATA_LEN`]; a multiple of 4, but for the last.
        bytes: &'a [u8],
    },
    /// All has been sent.
    Finish,
}

/// What the board answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Reply {
    /// The part at this offset comes next; at the file's length, nothing more.
    Ready {
        /// Where in the file.
        offset: u32,
    },
    /// The new model is the active one.
    Active,
    /// The old model stays the active one; begin again.
    Refused(Refusal),
}

/// Why an update comes to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Refusal {
    /// The file is larger than a slot.
    TooLarge {
        /// Bytes of a slot.
        slot_len: u32,
    },
    /// The board does not know of the update, for instance since it was without power.
    NotBegun,
    /// Data is not in words, or too much for a request or the file.
    Data,
    /// Parts of the file are missing.
    Incomplete,
    /// What is in flash has another checksum.
    Checksum,
    /// The file is no model, or one of another version.
    NotAModel,
    /// The model needs another shape than this firmware is for.
    Unfit,
    /// The flash failed.
    Flash,
    /// No update has room to be recorded.
    Full,
}

/// Takes in updates.
#[derive(Debug)]
pub struct Updater<F> {
    flash: F,
    /// Whether the firmware can run a model.
    is_fit: fn(&Model<'_>) -> bool,
    /// The update that is under way.
    under_way: Option<UnderWay>,
}

#[derive(Clone, Copy, Debug)]
struct UnderWay {
    slot: Slot,
    length: u32,
    checksum: u32,
    written: u32,
}

impl<F: Flash> Updater<F> {
    /// An updater of a firmware that runs models for which `is_fit` holds.
    pub const fn new(flash: F, is_fit: fn(&Model<'_>) -> bool) -> Self {
        Self {
            flash,
            is_fit,
            under_way: None,
        }
    }

    /// The slot of the active model: that of the last record that is whole, [`Slot::A`] before the first.
    pub fn active(&self) -> Slot {
        let records = self.flash.records().iter().rev();
        let mut slots = records.filter_map(|&word| match word {
            word if word == Slot::A.word() => Some(Slot::A),
            word if word == Slot::B.word() => Some(Slot::B),
            _ => None,
        });
        slots.next().unwrap_or(Slot::A)
    }

    /// The flash.
    pub const fn flash(&self) -> &F {
        &self.flash
    }

    /// Gives back the flash, as a board does that starts anew.
    pub fn into_flash(self) -> F {
        self.flash
    }

    /// Does what a request asks for. Any requests in any order leave a model active that works, if there was
    /// one.
    pub fn handle(&mut self, request: &Request<'_>) -> Reply {
        let reply = match *request {
            Request::Begin { length, checksum } => self.begin(length, checksum),
            Request::Data { offset, bytes } => self.data(offset, bytes),
            Request::Finish => self.finish(),
        };
        reply.unwrap_or_else(|refusal| {
            self.under_way = None;
            Reply::Refused(refusal)
        })
    }

    fn begin(&mut self, length: u32, checksum: u32) -> Result<Reply, Refusal> {
        // The same once more, before any data, is a frame that came twice.
        if let Some(update) = self.under_way
            && (update.length, update.checksum, update.written) == (length, checksum, 0)
        {
            return Ok(Reply::Ready { offset: 0 });
        }
        self.under_way = None;
        let slot = self.active().other();
        let slot_len = self.flash.slot(slot).len();
        if length as usize > slot_len {
            let slot_len = slot_len as u32;
            return Err(Refusal::TooLarge { slot_len });
        }
        self.free_record()?;
        let erased = self.flash.erase_slot(slot, length as usize);
        erased.map_err(|_| Refusal::Flash)?;
        self.under_way = Some(UnderWay {
            slot,
            length,
            checksum,
            written: 0,
        });
        Ok(Reply::Ready { offset: 0 })
    }

    fn data(&mut self, offset: u32, bytes: &[u8]) -> Result<Reply, Refusal> {
        let update = self.under_way.as_mut().ok_or(Refusal::NotBegun)?;
        if offset == update.written {
            let left = (update.length - update.written) as usize;
            let is_whole = bytes.len().is_multiple_of(4) || bytes.len() == left;
            if bytes.len() > MAX_DATA_LEN.min(left) || !is_whole {
                return Err(Refusal::Data);
            }
            let written = self.flash.write_slot(update.slot, offset as usize, bytes);
            written.map_err(|_| Refusal::Flash)?;
            update.written += bytes.len() as u32;
        }
        let offset = update.written;
        Ok(Reply::Ready { offset })
    }

    fn finish(&mut self) -> Result<Reply, Refusal> {
        let Some(update) = self.under_way else {
            return Err(Refusal::NotBegun);
        };
        if update.slot == self.active() {
            // It came twice.
            return Ok(Reply::Active);
        }
        if update.written != update.length {
            return Err(Refusal::Incomplete);
        }
        let file = self.flash.slot(update.slot).get(..update.length as usize);
        let file = file.unwrap_or_default();
        if crc32_after(0, file) != update.checksum {
            return Err(Refusal::Checksum);
        }
        let model = Model::from_bytes(file).map_err(|_| Refusal::NotAModel)?;
        if !(self.is_fit)(&model) {
            return Err(Refusal::Unfit);
        }
        let record = self.free_record()?;
        let written = self.flash.write_record(record, update.slot.word());
        written.map_err(|_| Refusal::Flash)?;
        Ok(Reply::Active)
    }

    /// The first word after all records.
    fn free_record(&self) -> Result<usize, Refusal> {
        let records = self.flash.records();
        let last = records.iter().rposition(|&word| word != u32::MAX);
        let next = last.map_or(0, |last| last + 1);
        (next < records.len()).then_some(next).ok_or(Refusal::Full)
    }
}

#[cfg(any(test, feature = "simulated"))]
#[doc(hidden)]
pub mod simulated;

#[cfg(test)]
mod tests;
