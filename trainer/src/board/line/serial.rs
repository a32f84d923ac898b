//! Serial ports.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::Duration;

use serial2::SerialPort;

use super::LineError;

/// What the sampler speaks where a port has a rate.
pub const BAUD_RATE: u32 = 115_200;

/// The serial ports that this computer lists.
pub fn ports() -> Vec<String> {
    let ports = SerialPort::available_ports().unwrap_or_default();
    let mut ports: Vec<String> = ports
        .iter()
        .map(|port| port.display().to_string())
        .collect();
    ports.sort();
    ports
}

/// What there is to choose from, in a sentence; `none` where there is nothing.
pub fn there_are(ports: &[String], none: &str) -> String {
    match ports {
        [] => none.into(),
        [port] => format!("there is {port}"),
        ports => format!("there are {}", ports.join(", ")),
    }
}

#[derive(Debug)]
pub(super) struct Port {
    serial: SerialPort,
    /// Keeps others away who ask for a lock, where the system itself does not.
    #[cfg(unix)]
    _lock: std::fs::File,
}

impl Port {
    pub(super) fn open(port: &str, baud_rate: u32) -> Result<Self, LineError> {
        let opened = SerialPort::open(PathBuf::from(port), baud_rate);
        let serial = opened.map_err(|source| refusal(port, source))?;
        #[cfg(unix)]
        let lock = lock(&serial).map_err(|source| refusal(port, source))?;
        // What came before is of no use; a port that cannot drop it gives it to be read.
        let _ = serial.discard_input_buffer();
        Ok(Self {
            serial,
            #[cfg(unix)]
            _lock: lock,
        })
    }

    /// Waits for bytes; [`ErrorKind::TimedOut`] where none came for so long.
    pub(super) fn read(&mut self, bytes: &mut [u8], patience: Duration) -> io::Result<usize> {
        self.serial.set_read_timeout(patience)?;
        match self.serial.read(bytes) {
            // A port that is gone reads as one that has ended.
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            read => read,
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.serial.write_all(bytes)
    }
}

/// Locks a port; what cannot be locked is left as it is.
#[cfg(unix)]
fn lock(serial: &SerialPort) -> io::Result<std::fs::File> {
    use std::fs::{File, TryLockError};
    use std::os::fd::AsFd;

    let file = File::from(serial.as_fd().try_clone_to_owned()?);
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(ErrorKind::ResourceBusy.into()),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

fn refusal(port: &str, source: io::Error) -> LineError {
    let port = port.into();
    match source.kind() {
        ErrorKind::NotFound => LineError::NoPort {
            port,
            ports: ports(),
        },
        ErrorKind::PermissionDenied => LineError::Denied { port },
        ErrorKind::ResourceBusy => LineError::Busy { port },
        _ => LineError::Open { port, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_port_does_not_open_is_told() {
        let message = |kind: ErrorKind| refusal("/dev/ttyACM0", kind.into()).to_string();
        assert!(message(ErrorKind::NotFound).starts_with("there is no serial port /dev/ttyACM0"));
        assert!(message(ErrorKind::ResourceBusy).contains("another program uses"));
        assert!(message(ErrorKind::PermissionDenied).contains("dialout"));
        let error = Port::open("/nowhere/tty", BAUD_RATE).unwrap_err();
        assert!(matches!(error, LineError::NoPort { .. }), "{error}");
    }
}
