//! What a program calls its addresses.

use super::{half, word};

/// A name for an address.
#[derive(Clone, Copy, Debug)]
pub(in crate::board) struct Symbol<'f> {
    pub(in crate::board) name: &'f str,
    pub(in crate::board) address: u32,
    /// The name of the section that it is in; empty where it is in none.
    pub(in crate::board) section: &'f [u8],
}

/// All symbols of a program; none where it is no program for 32 bits, or cut.
pub(in crate::board) fn symbols(file: &[u8]) -> Option<Vec<Symbol<'_>>> {
    const SYMBOLS: u32 = 2;
    const SYMBOL_LEN: usize = 16;
    let sections = sections(file)?;
    let section_names = sections.get(usize::from(half(file, 50)?))?.bytes;
    let section_of = |index: u16| {
        let section = sections.get(usize::from(index))?;
        zero_ended(section_names, section.name)
    };
    let mut symbols = vec![];
    for section in sections.iter().filter(|section| section.kind == SYMBOLS) {
        let names = sections.get(section.link as usize)?.bytes;
        for symbol in section.bytes.chunks_exact(SYMBOL_LEN) {
            let Ok(name) = std::str::from_utf8(zero_ended(names, word(symbol, 0)?)?) else {
                continue;
            };
            symbols.push(Symbol {
                name,
                address: word(symbol, 4)?,
                section: section_of(half(symbol, 14)?).unwrap_or_default(),
            });
        }
    }
    Some(symbols)
}

/// The address that has this name; none where a program has no such, or was stripped of its symbols.
pub(in crate::board) fn address_of(file: &[u8], name: &str) -> Option<u32> {
    let symbols = symbols(file)?;
    let found = symbols.iter().find(|symbol| symbol.name == name);
    found.map(|symbol| symbol.address)
}

/// The bytes of a section; empty where there is none of this name.
pub(in crate::board) fn section<'f>(file: &'f [u8], name: &str) -> &'f [u8] {
    let find = || {
        let sections = sections(file)?;
        let names = sections.get(usize::from(half(file, 50)?))?.bytes;
        let mut found = sections
            .iter()
            .filter(|section| zero_ended(names, section.name) == Some(name.as_bytes()));
        found.next().map(|section| section.bytes)
    };
    find().unwrap_or_default()
}

struct Section<'f> {
    name: u32,
    kind: u32,
    link: u32,
    bytes: &'f [u8],
}

fn sections(file: &[u8]) -> Option<Vec<Section<'_>>> {
    /// Of what takes no room in the file.
    const NO_BYTES: u32 = 8;
    if !file.starts_with(b"\x7fELF\x01\x01\x01") {
        return None;
    }
    let start = usize::try_from(word(file, 32)?).ok()?;
    let stride = usize::from(half(file, 46)?);
    let headers = (0..usize::from(half(file, 48)?)).map(|i| {
        let header = file.get(start.checked_add(i.checked_mul(stride)?)?..)?;
        let kind = word(header, 4)?;
        let offset = usize::try_from(word(header, 16)?).ok()?;
        let len = if kind == NO_BYTES {
            0
        } else {
            word(header, 20)?
        };
        Some(Section {
            name: word(header, 0)?,
            kind,
            link: word(header, 24)?,
            bytes: match len {
                0 => &[],
                len => file.get(offset..offset.checked_add(len as usize)?)?,
            },
        })
    });
    headers.collect()
}

/// The bytes from an offset up to a zero.
fn zero_ended(bytes: &[u8], start: u32) -> Option<&[u8]> {
    let bytes = bytes.get(start as usize..)?;
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some(&bytes[..end])
}
