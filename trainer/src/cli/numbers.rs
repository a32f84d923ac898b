//! Numbers as they are typed, within what a model and this computer can take.

use std::num::NonZeroU16;
use std::ops::RangeInclusive;

use clap::builder::{RangedI64ValueParser, TypedValueParser};

/// Most rows or training steps: far more than a small model has use for.
pub(super) const MOST: usize = 10_000_000;

/// Parses a whole number in `range`.
pub(super) fn count<T>(range: RangeInclusive<usize>) -> RangedI64ValueParser<T>
where
    T: TryFrom<i64, Error: std::error::Error + Send + Sync> + Clone + Send + Sync + 'static,
{
    let bound = |end: usize| i64::try_from(end).expect("the ranges are small");
    RangedI64ValueParser::new().range(bound(*range.start())..=bound(*range.end()))
}

/// Parses a number of Euler steps.
pub(super) fn step_count() -> impl TypedValueParser<Value = NonZeroU16> {
    count::<u16>(1..=u16::MAX.into()).try_map(NonZeroU16::try_from)
}

/// Parses a learning rate.
pub(super) fn learning_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok();
    let rate = rate.filter(|rate| *rate > 0.0 && *rate <= 1.0);
    rate.ok_or_else(|| "give a number above 0 and at most 1, such as 0.002".to_owned())
}
