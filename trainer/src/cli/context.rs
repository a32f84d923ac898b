//! Context numbers as they are typed.

use anyhow::{Context as _, anyhow, bail, ensure};
use flowlet::Model;
use ndarray::Array2;

/// The context that `items` spell out: all numbers in order, or `NAME=VALUE` for each name.
///
/// `NAME=VALUE` sets a category's number to 1 and leaves the others of that column at 0. A category
/// may stand without its name where only one column has it.
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
    let is_named = |item: &String| item.contains('=') || !columns_with(&labels, item).is_empty();
    if items.iter().any(is_named) {
        return by_name(&labels, items, expected);
    }
    ensure!(
        items.len() == expected,
        "the length of --context is {}, the model takes {expected}: write {}",
        items.len(),
        usage(&labels, expected)
    );
    let number = |item: &String| {
        let write = || format!("write {}", usage(&labels, expected));
        number(item).map_err(|error| anyhow!("{error}: {}", write()))
    };
    items.iter().map(number).collect()
}

/// The same context for each of `n` rows.
pub(super) fn repeated(context: &[f32], n: usize) -> Array2<f32> {
    Array2::from_shape_fn((n, context.len()), |(_, column)| context[column])
}

fn by_name(labels: &[&str], items: &[String], expected: usize) -> anyhow::Result<Vec<f32>> {
    ensure!(
        !labels.is_empty(),
        "the model's context has no names: write {}",
        usage(labels, expected)
    );
    let mut context = vec![None; labels.len()];
    for item in items {
        let (name, value) = name_and_value(labels, item)?;
        set(labels, &mut context, name.trim(), value.trim())?;
    }
    let missing = labels
        .iter()
        .zip(&context)
        .find(|(_, value)| value.is_none());
    if let Some((label, _)) = missing {
        bail!(
            "--context lacks {}: write {}",
            column(label),
            usage(labels, expected)
        );
    }
    Ok(context.into_iter().flatten().collect())
}

/// The two sides of `NAME=VALUE`, or a category and the only column that has it.
fn name_and_value<'a>(labels: &[&'a str], item: &'a str) -> anyhow::Result<(&'a str, &'a str)> {
    match columns_with(labels, item).as_slice() {
        [] => item
            .split_once('=')
            .with_context(|| format!("--context {item} lacks its name: write NAME={item}")),
        [column] => Ok((column, item)),
        [first, others @ ..] => {
            let others = others.iter().map(|column| format!(" or {column}={item}"));
            let others: String = others.collect();
            bail!("--context {item} may be of several columns: write {first}={item}{others}")
        }
    }
}

/// The columns that have this category.
fn columns_with<'a>(labels: &[&'a str], category: &str) -> Vec<&'a str> {
    let column = |label: &&'a str| label.strip_suffix(category)?.strip_suffix('=');
    labels.iter().filter_map(column).collect()
}

/// Sets the number called `name`, or all the categories of column `name`.
fn set(
    labels: &[&str],
    context: &mut [Option<f32>],
    name: &str,
    value: &str,
) -> anyhow::Result<()> {
    if let Some(i) = labels.iter().position(|label| *label == name) {
        check_first(name, context[i])?;
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
        "the model's context has no {name}: write {}",
        usage(labels, 0)
    );
    ensure!(
        known.contains(&value),
        "the model knows no {name}={value}: known are {}",
        known.join(", ")
    );
    for (number, category) in context.iter_mut().zip(&categories) {
        if let Some(category) = category {
            check_first(name, *number)?;
            *number = Some(f32::from(category == value));
        }
    }
    Ok(())
}

fn check_first(name: &str, number: Option<f32>) -> anyhow::Result<()> {
    ensure!(number.is_none(), "--context has {name} twice: name it once");
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

/// How to write a context of these labels, or of `count` numbers without any:
/// `activity=running|walking,speed=NUMBER`.
fn usage(labels: &[&str], count: usize) -> String {
    if labels.is_empty() {
        return vec!["NUMBER"; count].join(",");
    }
    let columns = labels.chunk_by(|a, b| a.contains('=') && column(a) == column(b));
    let usage = columns.map(column_usage).collect::<Vec<_>>().join(",");
    match labels.iter().find(|label| label.contains([',', '"'])) {
        // As in CSV, or the comma would part it.
        Some(label) => {
            let item = label.replace('"', "\"\"");
            format!("{usage} (with a comma or a quote in it as '\"{item}\"')")
        }
        None => usage,
    }
}

/// How to write the labels of one column.
fn column_usage(labels: &[&str]) -> String {
    let categories: Vec<_> = labels.iter().filter_map(|l| l.split_once('=')).collect();
    match categories.as_slice() {
        [] => format!("{}=NUMBER", labels[0]),
        [(column, _), ..] => {
            let categories: Vec<_> = categories.iter().map(|(_, category)| *category).collect();
            format!("{column}={}", categories.join("|"))
        }
    }
}

/// The column that a label is about.
fn column(label: &str) -> &str {
    label.split_once('=').map_or(label, |(column, _)| column)
}
