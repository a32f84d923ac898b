//! UF2: flash in blocks of 512 bytes, as a drive takes them, each with its own address.
//!
//! By Microsoft's "USB Flashing Format", <https://github.com/microsoft/uf2>; the RP2040's bootloader wants
//! 256 bytes a block, on a boundary of 256: RP2040 datasheet, 2.8.4.2.

use std::collections::{BTreeMap, BTreeSet};

/// The RP2040's family, which keeps its blocks off other chips.
const RP2040: u32 = 0xE48B_FF56;
const FIRST: u32 = 0x0A32_4655;
const SECOND: u32 = 0x9E5D_5157;
const LAST: u32 = 0x0AB1_6F30;
/// The block tells its family.
const HAS_FAMILY: u32 = 0x2000;

const BLOCK_LEN: usize = 512;
/// Bytes of flash in a block.
const PAGE_LEN: usize = 256;
/// Bytes that the chip erases at once.
const SECTOR_LEN: usize = 4096;
/// What flash has where nothing is written.
const ERASED: u8 = 0xFF;

/// The blocks for these parts of flash, each with its address, in the order of their addresses.
pub(super) fn encode(parts: &[(u32, &[u8])]) -> Vec<u8> {
    let mut pages = pages(parts);
    fill_sectors(&mut pages);
    let count = pages.len() as u32;
    let mut blocks = Vec::with_capacity(BLOCK_LEN * pages.len());
    for (i, (address, page)) in pages.iter().enumerate() {
        let head = [
            FIRST,
            SECOND,
            HAS_FAMILY,
            *address,
            PAGE_LEN as u32,
            i as u32,
            count,
            RP2040,
        ];
        blocks.extend(head.iter().flat_map(|word| word.to_le_bytes()));
        blocks.extend(page);
        blocks.resize((i + 1) * BLOCK_LEN - 4, 0);
        blocks.extend(LAST.to_le_bytes());
    }
    blocks
}

/// Whole pages; parts may begin and end within one.
fn pages(parts: &[(u32, &[u8])]) -> BTreeMap<u32, [u8; PAGE_LEN]> {
    let mut pages = BTreeMap::new();
    for (address, bytes) in parts {
        for (i, byte) in bytes.iter().enumerate() {
            let address = address + i as u32;
            let offset = address % PAGE_LEN as u32;
            let page = pages.entry(address - offset).or_insert([ERASED; PAGE_LEN]);
            page[offset as usize] = *byte;
        }
    }
    pages
}

/// Adds what a sector lacks, in all but the last: the bootloader erases a sector when it meets it, and loses
/// track where one that is not full is followed by another (RP2040 datasheet, erratum E14).
fn fill_sectors(pages: &mut BTreeMap<u32, [u8; PAGE_LEN]>) {
    let sector = |address: u32| address - address % SECTOR_LEN as u32;
    let last = pages
        .keys()
        .next_back()
        .map_or(0, |address| sector(*address));
    let begun: BTreeSet<u32> = pages.keys().map(|address| sector(*address)).collect();
    for start in begun.into_iter().filter(|start| *start != last) {
        for address in (start..start + SECTOR_LEN as u32).step_by(PAGE_LEN) {
            pages.entry(address).or_insert([ERASED; PAGE_LEN]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(block: &[u8]) -> Vec<u32> {
        let words = block.chunks(4);
        words
            .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
            .collect()
    }

    #[test]
    fn a_block_is_as_the_specification_has_it() {
        let blocks = encode(&[(0x1000_0000, &[7; 256])]);
        assert_eq!(blocks.len(), 512);
        let words = words(&blocks);
        // "UF2\n", 0x9E5D5157, flags, address, length, number, count, family.
        assert_eq!(&blocks[..4], b"UF2\n");
        assert_eq!(
            words[1..8],
            [0x9E5D_5157, 0x2000, 0x1000_0000, 256, 0, 1, 0xE48B_FF56]
        );
        assert_eq!(words[8..72], [0x0707_0707; 64]);
        assert_eq!(words[72..127], [0; 55]);
        assert_eq!(words[127], 0x0AB1_6F30);
    }

    #[test]
    fn all_sectors_but_the_last_are_full_and_blocks_are_numbered_in_the_order_of_addresses() {
        let blocks = encode(&[(0x1004_0000, &[1; 300]), (0x1000_0000, &[2; 4])]);
        let found: Vec<_> = blocks
            .chunks(512)
            .map(words)
            .map(|words| (words[3], words[5], words[6]))
            .collect();
        let first_sector = (0..16).map(|page| 0x1000_0000 + 256 * page);
        let addresses = first_sector.chain([0x1004_0000, 0x1004_0100]);
        let expected: Vec<_> = addresses.zip(0..).map(|(a, i)| (a, i, 18)).collect();
        assert_eq!(found, expected);
        assert_eq!(blocks[512 + 32..512 + 48], [ERASED; 16]);
    }

    #[test]
    fn parts_share_a_page_and_the_rest_of_it_stays_erased() {
        let blocks = encode(&[(0x1000_0102, &[1, 2]), (0x1000_0105, &[3])]);
        assert_eq!(blocks.len(), 512);
        assert_eq!(words(&blocks)[3], 0x1000_0100);
        assert_eq!(blocks[32..40], [255, 255, 1, 2, 255, 3, 255, 255]);
    }
}
