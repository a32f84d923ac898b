//! The Pico's bootloader: a drive that takes UF2 files, or picotool where there is no drive.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::elf::Elf;
use super::super::{Board, BoardError};
use super::said::{self, Said};
use super::{FlashError, Load, uf2};
use crate::error::Error;
use crate::output::write_whole;

const PICOTOOL: &str = "picotool";
const INSTALLATION: &str = if cfg!(target_os = "macos") {
    "brew install picotool"
} else {
    "sudo apt-get install -y picotool"
};
/// What every drive of a bootloader has: what it is, in lines of `Name: value`.
const INFO: &str = "INFO_UF2.TXT";
/// The RP2040's name in it.
const RP2040: &str = "RPI-RP2";

/// Finds out whether there is any way to write to a Pico.
pub(super) fn check() -> Result<(), BoardError> {
    match drives(&mounts())[..] {
        [] => said::check(PICOTOOL, "version", INSTALLATION),
        _ => Ok(()),
    }
}

/// Writes program and models as UF2: to a file if one is named, or to the drive, or by picotool.
pub(super) fn write(load: &Load<'_>) -> Result<(), Error> {
    let blocks = blocks(load)?;
    let place = load.place;
    if let Some(path) = &place.file {
        return write_whole(path, |file| file.write_all(&blocks));
    }
    let found = drives(&mounts());
    match (&place.drive, &found[..]) {
        (Some(drive), _) => copy(&blocks, drive, load.board),
        (None, []) => picotool(&blocks, load.board),
        (None, [drive]) => copy(&blocks, drive, load.board),
        (None, drives) => {
            let drives = drives.iter().map(|drive| drive.display().to_string());
            let drives = drives.collect();
            Err(BoardError::from(FlashError::ManyDrives { drives }).into())
        }
    }
}

fn blocks(load: &Load<'_>) -> Result<Vec<u8>, Error> {
    let program = load.program.map(|path| {
        let bytes = fs::read(path).map_err(|source| Error::cannot_read(path, source))?;
        Ok::<_, Error>((path, bytes))
    });
    let program = program.transpose()?;
    let parts = load.parts.iter().map(|part| (part.start, &*part.bytes));
    let mut parts: Vec<(u32, &[u8])> = parts.collect();
    if let Some((path, bytes)) = &program {
        let elf = Elf::parse(bytes).ok_or_else(|| BoardError::ForeignProgram {
            board: load.board,
            path: path.to_path_buf(),
        })?;
        let stored = elf.segments.iter().map(|part| (part.stored_at, part.bytes));
        parts.extend(stored);
    }
    Ok(uf2::encode(&parts))
}

/// Copies the blocks to a drive, whose board then starts.
fn copy(blocks: &[u8], drive: &Path, board: Board) -> Result<(), Error> {
    let found = board_id(drive).ok_or_else(|| {
        BoardError::from(FlashError::NotADrive {
            drive: drive.into(),
        })
    })?;
    if found != RP2040 {
        let found = format!("its bootloader says {found}, not {RP2040}");
        return Err(BoardError::from(FlashError::WrongChip { board, found }).into());
    }
    let path = drive.join("flowlet.uf2");
    let opened = File::create(&path);
    let copied = opened.and_then(|mut file| put(&mut file, blocks, &|| board_id(drive).is_none()));
    copied.map_err(|source| match is_gone(&source, board_id(drive).is_none()) {
        true => BoardError::from(FlashError::DriveGone { board }).into(),
        false => Error::Io {
            action: "write",
            path,
            source,
        },
    })
}

/// What is written last: a page of the system's, which it writes as a whole, so that no block comes twice.
const LAST_LEN: usize = 4096;

/// A file that can be waited for.
trait Arrive: Write {
    /// Waits until all that was written is on its device.
    fn arrive(&mut self) -> io::Result<()>;
}

impl Arrive for File {
    fn arrive(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// Writes all blocks, and waits until the drive has them.
///
/// A system takes all at once and writes it later, and the board starts, without its drive, as soon as it has
/// the last block: often before the system has heard that it has. So an error tells something as long as
/// blocks are held back, and the last ones are the board's to be without an answer: a cable that is
/// unplugged during these looks the same.
fn put(file: &mut impl Arrive, blocks: &[u8], has_no_drive: &dyn Fn() -> bool) -> io::Result<()> {
    let (first, last) = blocks.split_at(blocks.len().saturating_sub(1) / LAST_LEN * LAST_LEN);
    file.write_all(first)?;
    file.arrive()?;
    match file.write_all(last).and_then(|()| file.arrive()) {
        Err(error) if is_gone(&error, has_no_drive()) => Ok(()),
        outcome => outcome,
    }
}

/// Whether an error is one of a drive that is not there any more. What was read of it before may still be read.
fn is_gone(error: &io::Error, has_no_drive: bool) -> bool {
    /// EIO, ENXIO and ENODEV, on Linux and macOS.
    const NO_DEVICE: [i32; 3] = [5, 6, 19];
    let code = error.raw_os_error();
    has_no_drive || cfg!(unix) && code.is_some_and(|code| NO_DEVICE.contains(&code))
}

/// What a drive's bootloader says that it is the board of.
fn board_id(drive: &Path) -> Option<String> {
    let info = fs::read_to_string(drive.join(INFO)).ok()?;
    let mut lines = info.lines();
    let id = lines.find_map(|line| line.strip_prefix("Board-ID:"))?;
    Some(id.trim().into())
}

/// The folders in which systems mount drives.
fn mounts() -> Vec<PathBuf> {
    let user = std::env::var("USER").unwrap_or_default();
    if cfg!(windows) {
        return ('D'..='Z')
            .map(|letter| format!("{letter}:\\").into())
            .collect();
    }
    let folders = ["/Volumes", "/media", "/mnt", "/run/media"].map(PathBuf::from);
    let users = ["/media", "/run/media"].map(|folder| Path::new(folder).join(&user));
    let folders = folders.into_iter().chain(users);
    let found = folders.flat_map(|folder| subfolders(&folder));
    once_each(found)
}

/// Each folder once, by whatever names there are for it.
fn once_each(folders: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    let mut folders: Vec<_> = folders
        .map(|folder| folder.canonicalize().unwrap_or(folder))
        .collect();
    folders.sort();
    folders.dedup();
    folders
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// The folders that are drives of an RP2040's bootloader.
fn drives(folders: &[PathBuf]) -> Vec<PathBuf> {
    let is_drive = |folder: &&PathBuf| board_id(folder).is_some_and(|id| id == RP2040);
    folders.iter().filter(is_drive).cloned().collect()
}

fn picotool(blocks: &[u8], board: Board) -> Result<(), Error> {
    let file = said::file_of(blocks, ".uf2")?;
    let mut load = Command::new(PICOTOOL);
    load.args(["load", "-v"]).arg(file.path());
    match done(&mut load, board) {
        // Neither a drive nor picotool: a drive is the nearer way.
        Err(BoardError::NoTool { .. }) => return Err(BoardError::from(FlashError::NoDrive).into()),
        loaded => loaded?,
    }
    // `load -x` starts no file that is a model alone.
    Ok(done(Command::new(PICOTOOL).arg("reboot"), board)?)
}

fn done(command: &mut Command, board: Board) -> Result<(), BoardError> {
    let said = said::run(command, PICOTOOL, INSTALLATION)?;
    match said.success {
        true => Ok(()),
        false => Err(reason(&said, board).into()),
    }
}

/// Why it failed, by what picotool 2 says.
fn reason(said: &Said, board: Board) -> FlashError {
    // It says so after it says that there is none.
    if said.has(&["picotool was unable to connect"]) {
        return FlashError::PicoDenied;
    }
    if said.has(&[
        "No accessible RP-series devices in BOOTSEL mode",
        "No accessible RP2040 devices",
    ]) {
        return FlashError::NoDrive;
    }
    if said.has(&["requires a single RP-series device"]) {
        return FlashError::ManyPicos;
    }
    if said.has(&["Communication with"]) {
        return FlashError::Unplugged { board };
    }
    if said.has(&["did not match the file"]) {
        return FlashError::Verify { board };
    }
    FlashError::Tool {
        tool: PICOTOOL,
        board,
        message: said.message(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_drive_counts_once_by_all_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let (drive, name) = (folder.join("RPI-RP2"), folder.join("name"));
        fs::create_dir(&drive).unwrap();
        std::os::unix::fs::symlink(&drive, &name).unwrap();
        let found = once_each([name, drive.clone(), folder.join("./RPI-RP2")].into_iter());
        assert_eq!(found, [drive]);
    }

    #[test]
    fn drives_of_a_picos_bootloader_are_found_among_others() {
        let folder = tempfile::tempdir().unwrap();
        for (name, id) in [("a", "RPI-RP2"), ("b", "RP2350"), ("c", "RPI-RP2")] {
            fs::create_dir(folder.path().join(name)).unwrap();
            let info =
                format!("UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: {id}\r\n");
            fs::write(folder.path().join(name).join(INFO), info).unwrap();
        }
        fs::create_dir(folder.path().join("d")).unwrap();
        let mut found = drives(&subfolders(folder.path()));
        found.sort();
        assert_eq!(found, ["a", "c"].map(|name| folder.path().join(name)));
    }

    /// A drive that takes all at once and has less: it is gone after so many bytes.
    struct Played {
        room: usize,
        taken: usize,
        code: i32,
    }

    impl Write for Played {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.taken += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Arrive for Played {
        fn arrive(&mut self) -> io::Result<()> {
            match self.taken > self.room {
                true => Err(io::Error::from_raw_os_error(self.code)),
                false => Ok(()),
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_drive_that_goes_before_its_last_blocks_is_an_error() {
        const EIO: i32 = 5;
        const ENOSPC: i32 = 28;
        for (count, last) in [(1, 1), (8, 8), (9, 1), (40, 8), (45, 5)] {
            let blocks = vec![0; 512 * count];
            for room in (0..=count).map(|count| 512 * count) {
                let outcome = |code, gone| {
                    let taken = 0;
                    let mut drive = Played { room, taken, code };
                    put(&mut drive, &blocks, &|| gone)
                };
                let is_first = room < 512 * (count - last);
                assert_eq!(outcome(EIO, false).is_err(), is_first, "{room} of {count}");
                assert_eq!(
                    outcome(ENOSPC, true).is_err(),
                    is_first,
                    "{room} of {count}"
                );
                // What is no end of the drive is an error at any time.
                let is_whole = room == blocks.len();
                assert_eq!(
                    outcome(ENOSPC, false).is_ok(),
                    is_whole,
                    "{room} of {count}"
                );
            }
        }
    }
}
