//! Over a serial port: a pseudo-terminal, behind which the firmware runs in QEMU.

use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use flowlet_tests::update_board::UpdateBoard;
use flowlet_trainer::board::Board;
use flowlet_trainer::board::link::{Link, Received};
use flowlet_trainer::board::update::{Power, Session, flash_with};
use flowlet_trainer::model_file::ModelFile;
use serial2::SerialPort;

use super::*;

const MOMENT: Duration = Duration::from_millis(5);

/// Passes on what comes from either side.
fn connect(port: &mut SerialPort, session: &mut Session, stop: &AtomicBool) {
    port.set_read_timeout(MOMENT).unwrap();
    let mut chunk = [0; 512];
    while !stop.load(Ordering::Relaxed) {
        if let Ok(len) = port.read(&mut chunk) {
            session.link().send(&chunk[..len]).unwrap();
        }
        while let Ok(Received::Bytes(bytes)) = session.link().receive(MOMENT) {
            port.write_all(&bytes).unwrap();
        }
    }
}

#[test]
fn a_board_behind_a_serial_port_gets_another_model() {
    let folder = folder_with_both();
    let old = ModelFile::from_bytes("old", &folder.read("moons.flow"));
    let running = UpdateBoard::new(Board::QemuM4);
    running.lay(&flash_with(Board::QemuM4, &old).unwrap());
    let mut session = running.start(Power::Endless);
    let (mut board, held) = SerialPort::pair().unwrap();
    let path = std::fs::read_link(format!("/proc/self/fd/{}", held.as_raw_fd())).unwrap();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| connect(&mut board, &mut session, &stop));
        let port = path.display();
        let line =
            format!("update field.flow --board nrf52840-dk --port {port} -n 3 --seed 4 --json");
        let output = flowlet_tests::command::run(&mut folder.command(&line));
        stop.store(true, Ordering::Relaxed);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let facts: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(facts["bytes"], folder.read("field.flow").len());
    });
}

#[test]
fn a_port_is_for_silicon_and_an_old_model_for_qemu() {
    let folder = folder_with_both();
    let message = folder.fail("update moons.flow --board nrf52840-dk --port /nowhere/tty");
    assert_tells(&message, &["there is no serial port /nowhere/tty"]);
    let message = folder.fail("update moons.flow --board nrf52840-dk");
    assert_tells(&message, &["--port"]);
    let message =
        folder.fail("update moons.flow --board nrf52840-dk --port /nowhere/tty --old field.flow");
    assert_tells(
        &message,
        &["nrf52840-dk has its own model", "leave out --old"],
    );
    let message = folder.fail("update moons.flow --old field.flow --baud 9600");
    assert_tells(&message, &["qemu-m4 is emulated", "leave out --baud"]);
    let message = folder.fail("update moons.flow --board qemu-m4");
    assert_tells(&message, &["--old"]);
    folder.write("large.flow", f32_model(&[256, 256]));
    let line = "update large.flow --board stm32f4-discovery --port /nowhere/tty";
    let message = folder.fail(line);
    assert_tells(
        &message,
        &[
            "bytes too many for a slot of stm32f4-discovery, 262144 bytes",
            "such as esp32c3",
        ],
    );
    let message = folder.fail("update moons.flow --old field.flow --port /nowhere/tty");
    assert_tells(&message, &["leave out --port"]);
}
