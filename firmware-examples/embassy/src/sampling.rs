//! The task that samples.

use embassy_futures::yield_now;
use flowlet::format::MAX_DIM;
use flowlet::{Error, MAX_SCRATCH_LEN, Model, Scratch, StandardNormal};
use flowlet_protocol::{Answer, Draw};
use support::nrf52840_dk::random;
use support::{info, warn};

use crate::Requests;
use crate::serial::Output;

/// Answers one request after another.
#[embassy_executor::task]
pub(crate) async fn serve(
    model: &'static Model<'static>,
    output: &'static Output,
    requests: &'static Requests,
) {
    loop {
        let draw = requests.receive().await;
        let end = match sample_all(model, output, &draw).await {
            Ok(()) => {
                info!("sampled {=u32}", draw.count);
                Answer::Done {
                    count: draw.count,
                    spent: None,
                }
            }
            Err(error) => {
                warn!("no samples: {}", error);
                Answer::error(&error)
            }
        };
        output.tell(draw.form, &end).await;
    }
}

async fn sample_all(model: &Model<'_>, output: &Output, draw: &Draw) -> Result<(), Error> {
    let mut scratch = Scratch::<MAX_SCRATCH_LEN>::new();
    let mut rng = random(draw.seed);
    for _ in 0..draw.count {
        let mut x = [0.0; MAX_DIM];
        let x = x.get_mut(..model.dim()).unwrap_or_default();
        for x in &mut *x {
            *x = StandardNormal.sample(&mut rng);
            // The chip's own random source is slow.
            yield_now().await;
        }
        let mut steps = model.steps(x, &draw.context, &mut scratch)?;
        if let Some(step_count) = draw.step_count {
            steps = steps.with_step_count(step_count);
        }
        while steps.advance() {
            yield_now().await;
        }
        let x = x.iter().copied().collect();
        let sample = Answer::Sample { x, log_prob: None };
        output.tell(draw.form, &sample).await;
    }
    Ok(())
}
