//! Output files, whole or not at all.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::error::Error;

/// Writes a file by way of a temporary one beside it, renamed when it is complete.
///
/// # Errors
///
/// [`Error::Io`] where the folder is missing or unwritable or the disk is full; what was at `path`
/// before is then still there.
pub fn write_whole(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Error> {
    write(path, content).map_err(|source| Error::Io {
        action: "write",
        path: path.into(),
        source,
    })
}

fn write(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut file = builder().tempfile_in(folder)?;
    let mut buffered = BufWriter::new(&mut file);
    content(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    file.persist(path)?;
    Ok(())
}

/// With the rights of an ordinary new file: the mode here is cut down by the umask.
#[cfg(unix)]
fn builder() -> tempfile::Builder<'static, 'static> {
    use std::os::unix::fs::PermissionsExt;

    let mut builder = tempfile::Builder::new();
    builder.permissions(std::fs::Permissions::from_mode(0o666));
    builder
}

#[cfg(not(unix))]
fn builder() -> tempfile::Builder<'static, 'static> {
    tempfile::Builder::new()
}
