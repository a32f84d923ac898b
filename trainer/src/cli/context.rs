//! Context numbers as they are typed.

use anyhow::{Context as _, bail, ensure};
use flowlet::Model;
use ndarray::Array2;

/// The context that `items` spell out: all numbers in order, or `NAME=VALUE` for each name.
///
/// `NAME=VALUE` sets a category's number to 1 and leaves the others of that column at 0.
pub(super) fn parse(model: &Model<'_>, items: &[String]) -> anyhow::Result<Vec<f32>> {
    let labels: Vec<&str> = model.labels().skip(model.dim()).collect();
    let expected = model.context_dim();
    if items.is_empty() && expected > 0 {
        bail!(
            "the model takes a context: give it with --context {}",
            usage(&labels, expected)
        );
    }
    if !items.is_empty() && expected == 0 {
        bail!("the model takes no context: leave out --context");
    }
    if items.iter().any(|item| item.contains('=')) {
        return by_name(&labels, items);
    }
    let numbers: Vec<f32> = items
        .iter()
        .map(|item| number(item))
        .collect::<Result<_, _>>()?;
    ensure!(
        numbers.len() == expected,
        "--context has {} numbers, the model takes {expected}: {}",
        numbers.len(),
        usage(&labels, expected)
    );
    Ok(numbers)
}

/// The same context for each of `n` rows.
pub(super) fn repeated(context: &[f32], n: usize) -> Array2<f32> {
    Array2::from_shape_fn((n, context.len()), |(_, column)| context[column])
}

fn by_name(labels: &[&str], items: &[String]) -> anyhow::Result<Vec<f32>> {
    let mut context = vec![None; labels.len()];
    for item in items {
        let (name, value) = item
            .split_once('=')
            .with_context(|| format!("--context {item} lacks its name: write NAME={item}"))?;
        set(labels, &mut context, name.trim(), value.trim())?;
    }
    let missing = labels
        .iter()
        .zip(&context)
        .find(|(_, value)| value.is_none());
    if let Some((label, _)) = missing {
        bail!(
            "--context lacks {}",
            label.split('=').next().unwrap_or(label)
        );
    }
    Ok(context.into_iter().flatten().collect())
}

/// Sets the number called `name`, or all the categories of column `name`.
fn set(
    labels: &[&str],
    context: &mut [Option<f32>],
    name: &str,
    value: &str,
) -> anyhow::Result<()> {
    if let Some(i) = labels.iter().position(|label| *label == name) {
        context[i] = Some(number(value)?);
        return Ok(());
    }
    let category = |label: &str| {
        label
            .strip_prefix(name)?
            .strip_prefix('=')
            .map(str::to_owned)
    };
    let categories: Vec<_> = labels.iter().map(|label| category(label)).collect();
    let known: Vec<&str> = categories.iter().flatten().map(String::as_str).collect();
    ensure!(
        !known.is_empty(),
        "the model's context has no {name}: it is {}",
        usage(labels, 0)
    );
    ensure!(
        known.contains(&value),
        "the model knows no {name}={value}: known are {}",
        known.join(", ")
    );
    for (number, category) in context.iter_mut().zip(&categories) {
        if let Some(category) = category {
            *number = Some(f32::from(category == value));
        }
    }
    Ok(())
}

fn number(text: &str) -> anyhow::Result<f32> {
    let number = text
        .trim()
        .parse()
        .ok()
        .filter(|number: &f32| number.is_finite());
    number.with_context(|| format!("--context has {text:?}, which is not a finite number"))
}

/// How to write a context of these labels, or of `count` numbers without any.
fn usage(labels: &[&str], count: usize) -> String {
    if labels.is_empty() {
        return vec!["NUMBER"; count].join(",");
    }
    let with_value = |label: &&str| match label.contains('=') {
        true => (*label).to_owned(),
        false => format!("{label}=NUMBER"),
    };
    labels
        .iter()
        .map(with_value)
        .collect::<Vec<_>>()
        .join(" or ")
}
