//! Where slots and records lie in a region of flash.

use super::Slot;

/// Bytes of the page of records, and what the parts of a region are multiples of at least.
pub const PAGE_LEN: usize = 4096;

/// Slot A from the region's start, so that a model that is laid there alone is the active one, then slot
/// B, then the page of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Bytes of each slot.
    pub slot_len: usize,
}

impl Layout {
    /// That of a region of this many bytes, in flash of which so many are erased at a time. Nothing where it is too
    /// short for three parts that are erased apart, or where of those bytes and [`PAGE_LEN`] neither divides the other.
    ///
    /// ```
    /// use flowlet_protocol::update::{Layout, Slot};
    ///
    /// let layout = Layout::of(192 << 10, 1024).expect("there is room");
    /// assert_eq!(layout.start(Slot::B), 92 << 10);
    /// assert_eq!(layout.records_start(), 184 << 10);
    ///
    /// let layout = Layout::of(768 << 10, 128 << 10).expect("there is room");
    /// assert_eq!(layout.start(Slot::B), 256 << 10);
    /// assert_eq!(layout.records_start(), 512 << 10);
    /// ```
    pub const fn of(region_len: usize, erased_len: usize) -> Option<Self> {
        let fits = erased_len > 0
            && (erased_len.is_multiple_of(PAGE_LEN) || PAGE_LEN.is_multiple_of(erased_len));
        if !fits {
            return None;
        }
        let unit = if erased_len > PAGE_LEN {
            erased_len
        } else {
            PAGE_LEN
        };
        match (region_len / unit).saturating_sub(1) / 2 {
            0 => None,
            units => Some(Self {
                slot_len: units * unit,
            }),
        }
    }

    /// Where a slot begins, from the region's start.
    pub const fn start(self, slot: Slot) -> usize {
        match slot {
            Slot::A => 0,
            Slot::B => self.slot_len,
        }
    }

    /// Where the page of records begins.
    pub const fn records_start(self) -> usize {
        2 * self.slot_len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts_lie_within_the_region_and_no_two_are_erased_together() {
        for erased_len in [256, 1024, 4096, 16 << 10, 128 << 10] {
            let unit = erased_len.max(PAGE_LEN);
            for units in 3..50 {
                let region_len = units * unit + 17;
                let layout = Layout::of(region_len, erased_len).unwrap();
                let end = layout.records_start() + unit;
                assert!(end <= region_len && end + 2 * unit > region_len);
                assert!(layout.slot_len.is_multiple_of(unit));
            }
            assert_eq!(Layout::of(3 * unit - 1, erased_len), None);
        }
        for erased_len in [0, 1536, 6 << 10] {
            assert_eq!(Layout::of(1 << 20, erased_len), None);
        }
    }
}
