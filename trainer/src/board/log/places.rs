//! Where in the source a program logs, by the debug information of its ELF file.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use gimli::{AttributeValue, Dwarf, EndianSlice, LittleEndian, Unit, constants};

use super::super::elf::section;
use super::texts::Texts;

type Bytes<'f> = EndianSlice<'f, LittleEndian>;

/// The place of each text that is logged, such as `sampler/src/main.rs:31`, by its index; fewer, or none, where the
/// file does not tell.
pub(super) fn find(file: &[u8], texts: &Texts) -> BTreeMap<u16, String> {
    let symbols = texts.texts.iter();
    let indices = symbols.map(|(index, text)| (text.symbol.as_str(), *index));
    let mut places = BTreeMap::new();
    // What is damaged tells no more places.
    let _ = add(file, &indices.collect(), &mut places);
    places
}

fn add(
    file: &[u8],
    indices: &HashMap<&str, u16>,
    places: &mut BTreeMap<u16, String>,
) -> gimli::Result<()> {
    let load = |id: gimli::SectionId| -> gimli::Result<Bytes<'_>> {
        Ok(EndianSlice::new(section(file, id.name()), LittleEndian))
    };
    let dwarf = Dwarf::load(load)?;
    let mut units = dwarf.units();
    while let Some(header) = units.next()? {
        let unit = dwarf.unit(header)?;
        let mut entries = unit.entries();
        while let Some(entry) = entries.next_dfs()? {
            if entry.tag() != constants::DW_TAG_variable {
                continue;
            }
            let Some(name) = entry.attr_value(constants::DW_AT_linkage_name) else {
                continue;
            };
            let name = dwarf.attr_string(&unit, name)?;
            let index = std::str::from_utf8(name.slice()).ok();
            let Some(index) = index.and_then(|name| indices.get(name)) else {
                continue;
            };
            let line = entry.attr_value(constants::DW_AT_decl_line);
            let path = entry.attr_value(constants::DW_AT_decl_file);
            if let Some(line) = line.and_then(|line| line.udata_value())
                && let Some(AttributeValue::FileIndex(path)) = path
                && let Some(path) = path_of(&dwarf, &unit, path)?
            {
                places.insert(*index, format!("{path}:{line}"));
            }
        }
    }
    Ok(())
}

/// A path as the program's own build has it: from the workspace on, or from its package's folder in a registry.
fn path_of<'f>(
    dwarf: &Dwarf<Bytes<'f>>,
    unit: &Unit<Bytes<'f>>,
    index: u64,
) -> gimli::Result<Option<String>> {
    let Some(program) = &unit.line_program else {
        return Ok(None);
    };
    let header = program.header();
    let Some(file) = header.file(index) else {
        return Ok(None);
    };
    let name = dwarf.attr_string(unit, file.path_name())?;
    let folder = match file.directory(header) {
        Some(folder) => dwarf.attr_string(unit, folder)?.to_string_lossy(),
        None => "".into(),
    };
    let path = Path::new(&*folder).join(&*name.to_string_lossy());
    Ok(Some(path.display().to_string()))
}
