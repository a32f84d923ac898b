//! Programs as a linker writes them: what lies where in memory.
//!
//! ELF for 32 bits, little-endian: "Tool Interface Standard, Executable and Linking Format", version 1.2.

mod symbols;

pub(super) use symbols::{address_of, section, symbols};

/// `e_machine` of Arm.
pub(super) const ARM: u16 = 40;
/// `e_machine` of RISC-V.
pub(super) const RISC_V: u16 = 243;

const HEADER_LEN: usize = 52;
const PROGRAM_HEADER_LEN: usize = 32;
/// `p_type` of what is loaded.
const LOAD: u32 = 1;

/// A program's parts.
#[derive(Debug)]
pub(super) struct Elf<'e> {
    /// Which cores it is for.
    pub(super) machine: u16,
    pub(super) segments: Vec<Segment<'e>>,
}

/// A part of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment<'e> {
    /// Where its bytes are stored.
    pub(super) stored_at: u32,
    /// Where it is while the program runs.
    pub(super) address: u32,
    pub(super) bytes: &'e [u8],
    /// Bytes in memory, those that begin as zero among them.
    pub(super) len: u32,
}

impl<'e> Elf<'e> {
    /// Reads a file; none where it is no program for 32 bits, or cut.
    pub(super) fn parse(file: &'e [u8]) -> Option<Self> {
        let header = file.get(..HEADER_LEN)?;
        // 32 bits, little-endian, version 1.
        if !header.starts_with(b"\x7fELF\x01\x01\x01") {
            return None;
        }
        let start = usize::try_from(word(header, 28)?).ok()?;
        let stride = usize::from(half(header, 42)?);
        let count = usize::from(half(header, 44)?);
        let mut segments = vec![];
        for i in 0..count {
            let at = start.checked_add(i.checked_mul(stride)?)?;
            let program_header = file.get(at..at.checked_add(PROGRAM_HEADER_LEN)?)?;
            if word(program_header, 0)? == LOAD {
                segments.push(Segment::parse(file, program_header)?);
            }
        }
        Some(Self {
            machine: half(header, 18)?,
            segments,
        })
    }
}

impl<'e> Segment<'e> {
    fn parse(file: &'e [u8], program_header: &[u8]) -> Option<Self> {
        let [offset, address, stored_at, file_len, len] =
            [4, 8, 12, 16, 20].map(|at| word(program_header, at));
        let offset = usize::try_from(offset?).ok()?;
        let end = offset.checked_add(usize::try_from(file_len?).ok()?)?;
        Some(Self {
            stored_at: stored_at?,
            address: address?,
            bytes: file.get(offset..end)?,
            len: len?,
        })
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    bytes.try_into().ok().map(u32::from_le_bytes)
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at + 2)?;
    bytes.try_into().ok().map(u16::from_le_bytes)
}

/// A program with these segments, as a linker would write it.
#[cfg(test)]
pub(super) fn program(machine: u16, segments: &[Segment<'_>]) -> Vec<u8> {
    let mut file = b"\x7fELF\x01\x01\x01".to_vec();
    file.resize(HEADER_LEN, 0);
    file[18..20].copy_from_slice(&machine.to_le_bytes());
    file[28..32].copy_from_slice(&(HEADER_LEN as u32).to_le_bytes());
    file[42..44].copy_from_slice(&(PROGRAM_HEADER_LEN as u16).to_le_bytes());
    file[44..46].copy_from_slice(&(segments.len() as u16).to_le_bytes());
    let mut offset = HEADER_LEN + PROGRAM_HEADER_LEN * segments.len();
    for segment in segments {
        let len = segment.bytes.len();
        let words = [
            LOAD,
            offset as u32,
            segment.address,
            segment.stored_at,
            len as u32,
            segment.len,
            0,
            4,
        ];
        file.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        offset += len;
    }
    segments
        .iter()
        .for_each(|segment| file.extend(segment.bytes));
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments() -> [Segment<'static>; 2] {
        [
            Segment {
                stored_at: 0x0800_0000,
                address: 0x0800_0000,
                bytes: b"code",
                len: 4,
            },
            Segment {
                stored_at: 0x0800_0004,
                address: 0x2000_0000,
                bytes: b"variables",
                len: 100,
            },
        ]
    }

    #[test]
    fn parts_are_found_where_they_are_stored() {
        let file = program(ARM, &segments());
        let elf = Elf::parse(&file).unwrap();
        assert_eq!(elf.machine, ARM);
        assert_eq!(elf.segments, segments());
    }

    #[test]
    fn what_is_cut_or_of_another_kind_is_none() {
        let file = program(RISC_V, &segments());
        for len in 0..file.len() {
            assert!(Elf::parse(&file[..len]).is_none(), "{len}");
        }
        for at in 0..7 {
            let mut other = file.clone();
            other[at] ^= 3;
            assert!(Elf::parse(&other).is_none(), "{at}");
        }
    }
}
