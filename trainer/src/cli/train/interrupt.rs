//! Ctrl-C while a model is trained.

use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;

/// What a shell gives a command that Ctrl-C has ended.
pub(in crate::cli) const INTERRUPTED: u8 = 130;

/// A run that ended before its time, though with a model.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(in crate::cli) struct Interrupted;

/// Does some work with a flag that Ctrl-C sets; the second Ctrl-C ends the program at once, and so
/// does any after the work.
pub(in crate::cli) fn stoppable<T>(work: impl FnOnce(&AtomicBool) -> T) -> anyhow::Result<T> {
    let stop = Arc::new(AtomicBool::new(false));
    let handle = {
        let stop = Arc::clone(&stop);
        move || {
            if stop.swap(true, Ordering::Relaxed) {
                exit(INTERRUPTED.into());
            }
        }
    };
    ctrlc::set_handler(handle).context("cannot listen to Ctrl-C")?;
    let done = work(&stop);
    stop.store(true, Ordering::Relaxed);
    Ok(done)
}
