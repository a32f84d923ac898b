//! The texts that a program's log refers to by their number: symbols in its section `.defmt`, each named by a text
//! in JSON and its number for an address.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::elf::{half, word};
use super::Level;

/// What this reads.
const VERSION: &str = "4";
const ENCODING: &str = "rzcobs";

/// A program's texts, by number.
#[derive(Debug, Default)]
pub(super) struct Texts {
    pub(super) texts: BTreeMap<u16, Text>,
    /// What each line begins with, if the program tells the time.
    pub(super) timestamp: Option<String>,
}

#[derive(Debug)]
pub(super) struct Text {
    pub(super) kind: Kind,
    /// With `{}` where arguments are.
    pub(super) text: String,
    /// The name of its symbol.
    pub(super) symbol: String,
}

/// What a text is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A line, which may have a level.
    Line(Option<Level>),
    /// A part of one.
    Part,
}

/// A symbol's name, as far as it matters.
#[derive(Deserialize)]
struct Name {
    tag: String,
    data: String,
}

impl Texts {
    /// Those of a program; none of one without defmt.
    ///
    /// # Errors
    ///
    /// Why they cannot be read.
    pub(super) fn parse(file: &[u8]) -> Result<Option<Self>, String> {
        let broken = || "it is no program for 32 bits, or cut".to_owned();
        let symbols = symbols(file).ok_or_else(broken)?;
        let found = |start: &str| {
            let mut names = symbols.iter().map(|symbol| symbol.name.trim_matches('"'));
            names.find_map(|name| name.strip_prefix(start))
        };
        let Some(version) = found("_defmt_version_ = ") else {
            return Ok(None);
        };
        let encoding = found("_defmt_encoding_ = ").unwrap_or("none");
        if (version, encoding) != (VERSION, ENCODING) {
            return Err(format!(
                "it has the wire format {version} of defmt with the encoding {encoding}, not {VERSION} with {ENCODING}"
            ));
        }
        let mut texts = Self::default();
        for symbol in symbols.iter().filter(|symbol| symbol.is_in_section) {
            // Others are marks of the linker's script.
            let Ok(Name { tag, data }) = serde_json::from_str(symbol.name) else {
                continue;
            };
            if tag == "defmt_timestamp" {
                texts.timestamp = Some(data);
                continue;
            }
            let index = u16::try_from(symbol.address).map_err(|_| broken())?;
            let text = Text {
                kind: kind(&tag),
                text: data,
                symbol: symbol.name.into(),
            };
            texts.texts.insert(index, text);
        }
        Ok(Some(texts))
    }

    /// The text of a part.
    pub(super) fn part(&self, index: u16) -> Option<&str> {
        let text = self.texts.get(&index)?;
        (text.kind == Kind::Part).then_some(&*text.text)
    }
}

fn kind(tag: &str) -> Kind {
    let level = |level: &Level| tag.strip_prefix("defmt_") == Some(level.name());
    match Level::ALL.iter().find(|l| level(l)) {
        Some(level) => Kind::Line(Some(*level)),
        None if tag == "defmt_println" => Kind::Line(None),
        None => Kind::Part,
    }
}

struct Symbol<'f> {
    name: &'f str,
    address: u32,
    /// Whether it is in the section `.defmt`.
    is_in_section: bool,
}

/// All symbols of a program, by the standard that [`Elf`](super::super::elf::Elf) is read by.
fn symbols(file: &[u8]) -> Option<Vec<Symbol<'_>>> {
    const SYMBOLS: u32 = 2;
    const SYMBOL_LEN: usize = 16;
    let sections = sections(file)?;
    let names = sections.get(usize::from(half(file, 50)?))?.bytes;
    let defmt = sections
        .iter()
        .position(|section| text(names, section.name) == Some(".defmt"));
    let mut symbols = vec![];
    for section in sections.iter().filter(|section| section.kind == SYMBOLS) {
        let names = sections.get(section.link as usize)?.bytes;
        for symbol in section.bytes.chunks_exact(SYMBOL_LEN) {
            symbols.push(Symbol {
                name: text(names, word(symbol, 0)?)?,
                address: word(symbol, 4)?,
                is_in_section: defmt == Some(usize::from(half(symbol, 14)?)),
            });
        }
    }
    Some(symbols)
}

pub(super) struct Section<'f> {
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

/// The bytes of a section; empty where there is none of this name.
pub(super) fn section<'f>(file: &'f [u8], name: &str) -> &'f [u8] {
    let find = || {
        let sections = sections(file)?;
        let names = sections.get(usize::from(half(file, 50)?))?.bytes;
        let mut found = sections
            .iter()
            .filter(|section| text(names, section.name) == Some(name));
        found.next().map(|section| section.bytes)
    };
    find().unwrap_or_default()
}

/// The text at an offset, up to a zero.
fn text(bytes: &[u8], start: u32) -> Option<&str> {
    let bytes = bytes.get(start as usize..)?;
    let end = bytes.iter().position(|byte| *byte == 0)?;
    std::str::from_utf8(&bytes[..end]).ok()
}
