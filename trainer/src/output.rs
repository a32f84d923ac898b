//! Files that are written whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::Error;

/// Writes a file whole or not at all: under another name in the same folder, which takes the
/// file's name when all of `content` is written. A link is followed. What is no file, such as a pipe or
/// `/dev/null`, is written as it comes.
///
/// # Errors
///
/// [`Error::Io`] where the folder is missing or cannot be written, the file is write-protected, or
/// `content` fails; what was at `path` before is then still there.
pub fn write_whole(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Error> {
    try_write(path, content).map_err(|source| cannot_write(path, source))
}

/// Checks that a file can be written, before the work that makes its content.
///
/// # Errors
///
/// [`Error::Io`] where the folder is missing or cannot be written, or `path` is a folder or a
/// write-protected file.
pub fn check_writable(path: &Path) -> Result<(), Error> {
    let check = match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => File::options().write(true).open(path).map(drop),
        _ => replaced(path).and_then(|path| temporary(&path)).map(drop),
    };
    check.map_err(|source| cannot_write(path, source))
}

fn cannot_write(path: &Path, source: io::Error) -> Error {
    Error::Io {
        action: "write",
        path: path.into(),
        source,
    }
}

fn try_write(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return write_buffered(&mut File::options().write(true).open(path)?, content);
    }
    let path = replaced(path)?;
    let mut temporary = temporary(&path)?;
    write_buffered(temporary.as_file_mut(), content)?;
    temporary.persist(path)?;
    Ok(())
}

/// The file that a new one takes the place of: where a link leads, and none that is write-protected, which
/// renaming would not heed.
fn replaced(path: &Path) -> io::Result<PathBuf> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.permissions().readonly() => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the file is write-protected: choose another name",
        )),
        Ok(_) if path.is_symlink() => path.canonicalize(),
        _ => Ok(path.into()),
    }
}

/// An empty file in the folder of `path`, gone again unless it is kept.
fn temporary(path: &Path) -> io::Result<NamedTempFile<File>> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // `File::create_new` gives the permissions of any new file, where tempfile's own are private.
    Builder::new()
        .prefix(".flowlet-")
        .make_in(folder, |path| File::create_new(path))
}

fn write_buffered(
    file: &mut File,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffered = BufWriter::new(file);
    content(&mut buffered)?;
    buffered.flush()
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
        entries
            .map(name)
            .map(|name| name.into_string().unwrap())
            .collect()
    }

    #[test]
    fn content_replaces_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("moons.flow");
        for content in ["first", "second"] {
            write_whole(&path, |output| output.write_all(content.as_bytes())).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(names(folder.path()), ["moons.flow"]);
    }

    #[test]
    fn failure_leaves_the_old_file_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("moons.flow");
        fs::write(&path, "old").unwrap();
        let result = write_whole(&path, |output| {
            output.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        let message = result.unwrap_err().to_string();
        assert_eq!(message, format!("cannot write {}", path.display()));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["moons.flow"]);
    }

    #[test]
    fn missing_folder_is_an_error() {
        let result = write_whole(Path::new("/nowhere/moons.flow"), |_| Ok(()));
        let Err(Error::Io { source, .. }) = result else {
            panic!("{result:?}");
        };
        assert_eq!(source.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn check_tells_what_writing_would() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("moons.flow");
        check_writable(&inside).unwrap();
        assert!(names(folder.path()).is_empty());
        assert!(check_writable(folder.path()).is_err());
        assert!(check_writable(Path::new("/nowhere/moons.flow")).is_err());
    }

    #[test]
    fn directory_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write_whole(folder.path(), |_| Ok(())).is_err());
        assert!(folder.path().is_dir());
    }

    #[test]
    #[cfg(unix)]
    fn device_is_written_and_not_replaced() {
        // By a link, lest a failure replaces the machine's own.
        let folder = tempfile::tempdir().unwrap();
        let null = folder.path().join("null");
        std::os::unix::fs::symlink("/dev/null", &null).unwrap();
        write_whole(&null, |output| output.write_all(b"gone")).unwrap();
        assert!(null.is_symlink());
    }

    #[test]
    fn protected_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("moons.flow");
        fs::write(&path, "old").unwrap();
        let mut permissions = fs::metadata(&path).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&path, permissions).unwrap();
        let errors = [
            check_writable(&path).unwrap_err(),
            write_whole(&path, |output| output.write_all(b"new")).unwrap_err(),
        ];
        for error in errors {
            let cause = error.source().unwrap().to_string();
            assert!(cause.contains("write-protected"), "{cause}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["moons.flow"]);
    }

    #[test]
    #[cfg(unix)]
    fn link_stays_and_leads_to_the_new_content() {
        let folder = tempfile::tempdir().unwrap();
        let (elsewhere, link) = (folder.path().join("elsewhere"), folder.path().join("link"));
        fs::create_dir(&elsewhere).unwrap();
        let target = elsewhere.join("moons.flow");
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink("elsewhere/moons.flow", &link).unwrap();
        write_whole(&link, |output| output.write_all(b"new")).unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&target).unwrap(), "new");
        assert_eq!(names(&elsewhere), ["moons.flow"]);
    }

    #[test]
    #[cfg(unix)]
    fn permissions_are_those_of_any_new_file() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let (plain, whole) = (folder.path().join("plain"), folder.path().join("whole"));
        fs::write(&plain, "").unwrap();
        write_whole(&whole, |_| Ok(())).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&whole), mode(&plain));
    }
}
