//! Where slots and records lie in a region of flash.

use super::Slot;

/// Bytes that the parts of a region are multiples of: those that flash is erased by divide it.
pub const PAGE_LEN: usize = 4096;

/// Slot A from the region's start, so that a model that is laid there alone is the active one, then slot
/// B, then the page of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Bytes of each slot.
    pub slot_len: usize,
}

impl Layout {
    /// That of a region of this many bytes; nothing where it is too short for three pages.
    ///
    /// ```
    /// use flowlet_protocol::update::{Layout, Slot};
    ///
    /// let layout = Layout::of(192 << 10).expect("there is room");
    /// assert_eq!(layout.start(Slot::B), 92 << 10);
    /// assert_eq!(layout.records_start(), 184 << 10);
    /// ```
    pub const fn of(region_len: usize) -> Option<Self> {
        match (region_len / PAGE_LEN).saturating_sub(1) / 2 {
            0 => None,
            pages => Some(Self {
                slot_len: pages * PAGE_LEN,
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
    fn all_parts_lie_within_the_region() {
        for pages in 3..50 {
            let region_len = pages * PAGE_LEN + 17;
            let layout = Layout::of(region_len).unwrap();
            let end = layout.records_start() + PAGE_LEN;
            assert!(end <= region_len && end + 2 * PAGE_LEN > region_len);
        }
        assert_eq!(Layout::of(3 * PAGE_LEN - 1), None);
    }
}
