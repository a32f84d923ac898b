//! What a program of a board takes of its memory.

use std::fs;
use std::ops::Range;
use std::path::Path;

use object::elf::{PT_LOAD, SHF_ALLOC, SHF_WRITE};
use object::read::elf::{ElfFile32, FileHeader, ProgramHeader};
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, SymbolKind};

/// An ELF file for a microcontroller.
#[derive(Debug)]
pub struct Elf(Vec<u8>);

impl Elf {
    /// Reads a file.
    ///
    /// # Panics
    ///
    /// If it cannot be read.
    pub fn read(path: &Path) -> Self {
        let bytes = fs::read(path);
        Self(bytes.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// Bytes of flash: code, constants and the first values of variables.
    pub fn flash_len(&self) -> u64 {
        let elf = self.parse();
        let headers = elf.elf_header().program_headers(elf.endian(), elf.data());
        let headers = headers.expect("the file has program headers");
        let loaded = headers
            .iter()
            .filter(|header| header.p_type(elf.endian()) == PT_LOAD);
        loaded
            .map(|header| u64::from(header.p_filesz(elf.endian())))
            .sum()
    }

    /// Bytes of RAM that are taken all the time.
    pub fn static_len(&self) -> u64 {
        self.variables().map(|(_, len)| len).sum()
    }

    /// Where the memory ends that is taken all the time, and the stack may begin.
    pub fn static_end(&self) -> u64 {
        let ends = self.variables().map(|(start, len)| start + len);
        ends.max().unwrap_or(0)
    }

    /// Bytes of the constants and variables that have `part` in their names, such as that of their
    /// crate.
    pub fn data_len(&self, part: &str) -> u64 {
        let elf = self.parse();
        let data = elf
            .symbols()
            .filter(|symbol| symbol.kind() == SymbolKind::Data);
        let named = data.filter(|symbol| symbol.name().is_ok_and(|name| name.contains(part)));
        named.map(|symbol| symbol.size()).sum()
    }

    /// Bytes of all sections with an address in one of `ranges`, but the stack, which takes what is
    /// left, and the place holders of esp-hal, which stand for memory that is counted elsewhere.
    pub fn len_within(&self, ranges: &[Range<u64>]) -> u64 {
        let elf = self.parse();
        let sections = elf.sections().filter(|section| {
            let name = section.name().unwrap_or_default();
            let is_there = ranges
                .iter()
                .any(|range| range.contains(&section.address()));
            is_there && name != ".stack" && !name.ends_with("_dummy")
        });
        sections.map(|section| section.size()).sum()
    }

    /// Where each part of the file is laid, with its bytes.
    pub fn segments(&self) -> Vec<(u64, Vec<u8>)> {
        let elf = self.parse();
        let headers = elf.elf_header().program_headers(elf.endian(), elf.data());
        let headers = headers.expect("the file has program headers").iter();
        let loaded = headers.filter(|header| header.p_type(elf.endian()) == PT_LOAD);
        let segments = loaded.map(|header| {
            let bytes = header.data(elf.endian(), elf.data());
            let address = u64::from(header.p_paddr(elf.endian()));
            (address, bytes.expect("the file has its segments").to_vec())
        });
        segments.filter(|(_, bytes)| !bytes.is_empty()).collect()
    }

    /// The bytes that are laid at an address.
    ///
    /// # Panics
    ///
    /// If the file has none for it.
    pub fn bytes_at(&self, address: u64, len: usize) -> Vec<u8> {
        let segments = self.segments();
        let bytes = segments.iter().find_map(|(start, bytes)| {
            let offset = usize::try_from(address.checked_sub(*start)?).ok()?;
            bytes.get(offset..)?.get(..len)
        });
        bytes
            .unwrap_or_else(|| panic!("the file has nothing at {address:#x}"))
            .into()
    }

    /// The address that a symbol stands for.
    pub fn address(&self, name: &str) -> Option<u64> {
        let elf = self.parse();
        let symbol = elf.symbols().find(|symbol| symbol.name() == Ok(name));
        symbol.map(|symbol| symbol.address())
    }

    /// The file itself.
    pub fn file(&self) -> &[u8] {
        &self.0
    }

    /// Names of all symbols.
    pub fn names(&self) -> Vec<String> {
        let elf = self.parse();
        let symbols = elf.symbols();
        let names = symbols.filter_map(|symbol| symbol.name().ok().map(String::from));
        names.collect()
    }

    /// Start and length of the sections of variables. riscv-rt makes the stack one too.
    fn variables(&self) -> impl Iterator<Item = (u64, u64)> {
        let variable = SHF_ALLOC | SHF_WRITE;
        let elf = self.parse();
        let sections = elf.sections().filter(|section| {
            let SectionFlags::Elf { sh_flags, .. } = section.flags() else {
                return false;
            };
            let is_stack = section.name().is_ok_and(|name| name == ".stack");
            sh_flags & variable == variable && !is_stack
        });
        let extents = sections.map(|section| (section.address(), section.size()));
        extents.collect::<Vec<_>>().into_iter()
    }

    fn parse(&self) -> ElfFile32<'_> {
        ElfFile32::parse(&*self.0).expect("the file is a 32-bit ELF")
    }
}
