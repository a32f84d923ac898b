//! The drive of a Pico's bootloader, which goes away.

use std::io::Read;
use std::process::Command;
use std::thread;

use super::*;

#[test]
fn a_drive_that_goes_during_the_copy_is_told() {
    let desk = Desk::new();
    // More blocks than the system takes without anyone who reads them.
    desk.firmware("sampler.elf", ARM, &[(0x1000_0000, &[7; 100_000])]);
    fs::create_dir(desk.0.path("drive")).unwrap();
    let [info, file] = ["INFO_UF2.TXT", "flowlet.uf2"].map(|name| desk.0.path("drive").join(name));
    fs::write(&info, "Board-ID: RPI-RP2\r\n").unwrap();
    assert!(run(Command::new("mkfifo").arg(&file)).status.success());
    let (success, _, message) = thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = fs::File::open(&file).unwrap();
            fs::remove_file(&info).unwrap();
            let _ = file.read(&mut [0; 512]);
        });
        let line = "moons.flow --board pico --firmware sampler.elf --drive drive";
        let outcome = desk.flash(line);
        // Without a writer, whoever reads would wait for one for ever.
        drop(fs::File::options().read(true).write(true).open(&file));
        outcome
    });
    assert!(!success);
    assert_tells(&message, &["drive of pico went away", "BOOTSEL"]);
}
