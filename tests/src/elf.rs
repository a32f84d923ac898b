//! What a program of a board takes of its memory.

use std::fs;
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
