//! The texts that a program's log refers to by their number: symbols in its section `.defmt`, each named by a text
//! in JSON and its number for an address.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::elf::symbols;
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
        for symbol in symbols.iter().filter(|symbol| symbol.section == b".defmt") {
            // Others are marks of the linker's script.
            let Ok(Name { tag, data }) = serde_json::from_str(symbol.name) else {
                continue;
            };
            if tag == "defmt_timestamp" {
                texts.timestamp = Some(data);
                continue;
            }
            // Other tools have tags and numbers of their own.
            let (Some(kind), Ok(index)) = (kind(&tag), u16::try_from(symbol.address)) else {
                continue;
            };
            let text = Text {
                kind,
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

/// What a tag's texts are of; none of a tag that is not for a log.
fn kind(tag: &str) -> Option<Kind> {
    let tag = tag.strip_prefix("defmt_")?;
    let level = Level::ALL.into_iter().find(|level| level.name() == tag);
    match tag {
        _ if level.is_some() => Some(Kind::Line(level)),
        "println" => Some(Kind::Line(None)),
        "bitflags" | "derived" | "prim" | "str" | "write" => Some(Kind::Part),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program of nothing but symbols in `.defmt`, each a name and an address.
    fn program(symbols: &[(&[u8], u32)]) -> Vec<u8> {
        const HEADER: usize = 52;
        let mut names = b"\0.defmt\0".to_vec();
        let mut table = vec![];
        for (name, address) in symbols {
            let start = u32::try_from(names.len()).unwrap();
            names.extend(*name);
            names.push(0);
            // Its length, its kind and its visibility matter to nobody here.
            for word in [start, *address, 0, 1 << 16] {
                table.extend(word.to_le_bytes());
            }
        }
        let table_start = HEADER + names.len();
        let headers_start = table_start + table.len();
        let mut file = b"\x7fELF\x01\x01\x01".to_vec();
        file.resize(HEADER, 0);
        for (at, value) in [(32, headers_start), (46, 40), (48, 3), (50, 0)] {
            let bytes = u16::try_from(value).unwrap().to_le_bytes();
            file[at..at + 2].copy_from_slice(&bytes);
        }
        file.extend(&names);
        file.extend(&table);
        // A name's offset, a kind, a place and what it links to: the names, `.defmt`, the symbols.
        for (name, kind, start, len, link) in [
            (0, 3, HEADER, names.len(), 0),
            (1, 1, HEADER, 0, 0),
            (0, 2, table_start, table.len(), 0),
        ] {
            let mut header = [0; 10];
            (header[0], header[1], header[6]) = (name, kind, link);
            (header[4], header[5]) = (start as u32, len as u32);
            file.extend(header.iter().flat_map(|word| word.to_le_bytes()));
        }
        file
    }

    #[test]
    fn symbols_that_are_not_of_the_log_are_passed_over() {
        let file = program(&[
            (b"_defmt_version_ = 4", 0),
            (b"_defmt_encoding_ = rzcobs", 0),
            (b"\xFF", 1),
            (br#"{"tag":"defmt_info","data":"a line"}"#, 2),
            (br#"{"tag":"defmt_warn","data":"beyond"}"#, 0x1_0003),
            (br#"{"tag":"my_tool","data":"foreign"}"#, 4),
            (br#"{"tag":"defmt_derived","data":"a part"}"#, 5),
            (br#"{"tag":"defmt_bitflags_value","data":"a value"}"#, 6),
        ]);
        let texts = Texts::parse(&file).unwrap().unwrap().texts;
        let found = texts
            .iter()
            .map(|(index, text)| (*index, text.kind, &*text.text));
        let expected = [
            (2, Kind::Line(Some(Level::Info)), "a line"),
            (5, Kind::Part, "a part"),
        ];
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }
}
