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

#[derive(Debug)]
pub(super) struct Port(SerialPort);

impl Port {
    pub(super) fn open(port: &str, baud_rate: u32) -> Result<Self, LineError> {
        let opened = SerialPort::open(PathBuf::from(port), baud_rate);
        let serial = opened.map_err(|source| refusal(port, source))?;
        // What came before is of no use; a port that cannot drop it gives it to be read.
        let _ = serial.discard_input_buffer();
        Ok(Self(serial))
    }

    /// Waits for bytes; [`ErrorKind::TimedOut`] where none came for so long.
    pub(super) fn read(&mut self, bytes: &mut [u8], patience: Duration) -> io::Result<usize> {
        self.0.set_read_timeout(patience)?;
        match self.0.read(bytes) {
            // A port that is gone reads as one that has ended.
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            read => read,
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
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
