#![no_std]
#![no_main]
//! Samples beside other tasks, on Embassy: a light blinks and the serial line is answered while the
//! model in flash is sampled.
//!
//! A task that computes holds up all others of its executor. So the sampling task takes a sample in
//! steps of one net each and yields after every one: no other waits longer than a net takes, about
//! 4 cycles a multiply-add, however many steps a sample has.
//!
//! ```text
//! > sample 1000 steps=100
//! > model
//! sample  0.994681  0.132457  bits 3f7ea364 3e07a2ea *…
//! model moons: flow matching, 4 steps, … *…
//! sample  1.971460  0.410070  bits 3ffc58ca 3ed1f4b0 *…
//! ```
//!
//! It is asked as the sampler is, and its samples have the same bits. It tells no log-probabilities,
//! which come from all layers in one call, and no cycles, which would be those of all tasks. Two requests may
//! wait while one is answered; a further one is refused.

mod sampling;
mod serial;

use embassy_executor::Executor;
use embassy_nrf::{
    Peri,
    gpio::{Level, Output, OutputDrive},
    peripherals::P0_13,
};
use embassy_sync::{blocking_mutex::raw::NoopRawMutex, channel::Channel};
use embassy_time::{Duration, Ticker};
use flowlet::Model;
use flowlet_protocol::{Draw, Facts};
use static_cell::StaticCell;
use support::{
    Models, info,
    nrf52840_dk::{self, Parts},
};

/// Requests that wait for the one that is answered; further ones are refused.
const REQUESTS: usize = 2;

/// From the serial line to the sampling task.
type Requests = Channel<NoopRawMutex, Draw, REQUESTS>;

#[support::entry]
fn main() -> ! {
    static MODEL: StaticCell<Model<'static>> = StaticCell::new();
    static REQUESTS: StaticCell<Requests> = StaticCell::new();
    static OUTPUT: StaticCell<serial::Output> = StaticCell::new();
    static EXECUTOR: StaticCell<Executor> = StaticCell::new();

    let Parts {
        input,
        output,
        light,
    } = nrf52840_dk::parts();
    let (model, file) = match Models::new(support::model_region()).first() {
        Ok(found) => found,
        Err(error) => support::fail(&error),
    };
    let facts = Facts::of(&model, file);
    info!("model {}", facts);
    let model = &*MODEL.init(model);
    let requests = &*REQUESTS.init(Channel::new());
    let output = &*OUTPUT.init(serial::Output::new(output));
    EXECUTOR.init(Executor::new()).run(|spawner| {
        let tasks = [
            blink(light).map(|task| spawner.spawn(task)),
            serial::serve(input, output, requests, facts).map(|task| spawner.spawn(task)),
            sampling::serve(model, output, requests).map(|task| spawner.spawn(task)),
        ];
        assert!(tasks.iter().all(Result::is_ok), "each task is started once");
    })
}

/// Changes the light four times a second, evenly as long as no task holds up the others.
#[embassy_executor::task]
async fn blink(light: Peri<'static, P0_13>) {
    let mut light = Output::new(light, Level::High, OutputDrive::Standard);
    let mut ticker = Ticker::every(Duration::from_millis(250));
    loop {
        ticker.next().await;
        light.toggle();
    }
}
