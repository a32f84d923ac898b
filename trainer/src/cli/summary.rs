//! What a model is, in a line or in a table.

use flowlet::{Activation, Kind, Model, Precision};
use serde_json::{Value, json};

use super::calibrate::add_threshold;
use super::report::{Report, grouped};

/// `RealNVP` or `flow matching`.
pub(super) fn kind_name(model: &Model<'_>) -> &'static str {
    match model.kind() {
        Kind::RealNvp { .. } => "RealNVP",
        Kind::FlowMatching { .. } => "flow matching",
    }
}

/// Adds all that a model says of itself.
pub(super) fn add_model(report: &mut Report, model: &Model<'_>, bytes: usize) {
    report.fact("name", model.name(), "name", model.name());
    report.fact("kind", kind_key(model), "kind", kind_name(model));
    report.fact("dim", model.dim(), "dimensions", dimensions(model));
    if model.context_dim() > 0 {
        let context = numbered(model.context_dim(), model.labels().skip(model.dim()));
        report.fact("context_dim", model.context_dim(), "context", context);
    } else {
        report.value("context_dim", 0);
    }
    let (transform, text) = match model.description().whitened {
        true => (
            "whitened",
            "whitened: columns standardized, correlations taken out",
        ),
        false => ("standardized", "standardized column by column"),
    };
    report.fact("transform", transform, "transform", text);
    let labels: Vec<Value> = model.labels().map(Value::from).collect();
    report.value("labels", labels);
    add_nets(report, model);
    if let Some(threshold) = model.threshold() {
        add_threshold(report, &threshold);
    }
    let precision = precision_name(model);
    report.fact("precision", precision, "precision", precision);
    report.fact("bytes", bytes, "file", format!("{} bytes", grouped(bytes)));
    let scratch = model.scratch_len();
    let text = format!("{scratch} words ({} bytes of RAM)", grouped(4 * scratch));
    report.fact("scratch_len", scratch, "scratch", text);
    add_cost(report, model);
}

fn kind_key(model: &Model<'_>) -> &'static str {
    match model.kind() {
        Kind::RealNvp { .. } => "real-nvp",
        Kind::FlowMatching { .. } => "flow-matching",
    }
}

/// `f32` or `int8`.
pub(super) fn precision_name(model: &Model<'_>) -> &'static str {
    match model.description().net.precision {
        Precision::F32 => "f32",
        Precision::Int8 => "int8",
    }
}

fn dimensions(model: &Model<'_>) -> String {
    numbered(model.dim(), model.labels().take(model.dim()))
}

/// `2 (x, y)`, or `2` where there are no names.
fn numbered<'a>(n: usize, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    match names.len() {
        0 => n.to_string(),
        _ => format!("{n} ({})", names.join(", ")),
    }
}

fn add_nets(report: &mut Report, model: &Model<'_>) {
    let description = model.description();
    let activation = match description.net.activation {
        Activation::Tanh => "tanh",
        Activation::Elu => "elu",
    };
    let nets = description.net_count();
    let shape = match nets {
        1 => format!("one net {}, {activation}", shape(model, 0)),
        _ => format!(
            "{nets} couplings of one net {}, {activation}",
            shapes(model)
        ),
    };
    report.fact(
        "hidden",
        json!(description.net.hidden.as_slice()),
        "nets",
        shape,
    );
    report.value("activation", activation);
    report.value("net_count", nets);
    let parameters: usize = (0..nets).map(|k| description.parameter_count(k)).sum();
    report.fact("parameters", parameters, "parameters", grouped(parameters));
}

/// The shape of even and odd nets.
fn shapes(model: &Model<'_>) -> String {
    let (even, odd) = (shape(model, 0), shape(model, 1));
    if even == odd {
        even
    } else {
        format!("{even} and {odd} in turn")
    }
}

/// `1-64-64-2`.
fn shape(model: &Model<'_>, k: usize) -> String {
    let description = model.description();
    let sizes = std::iter::once(description.net_ends(k).0)
        .chain(description.layer_ends(k).map(|(_, outputs)| outputs));
    sizes.map(|n| n.to_string()).collect::<Vec<_>>().join("-")
}

fn add_cost(report: &mut Report, model: &Model<'_>) {
    let macs = model.mac_count();
    let text = match model.kind() {
        Kind::RealNvp { .. } => format!("{} a sample or log-probability", grouped(macs)),
        Kind::FlowMatching { step_count } => {
            report.value("step_count", step_count.get());
            let all = grouped(macs * usize::from(step_count.get()));
            format!(
                "{all} a sample: {} a step, {step_count} Euler steps",
                grouped(macs)
            )
        }
    };
    report.fact("mac_count", macs, "multiply-adds", text);
}

/// The names of the first two columns.
pub(super) fn axis_labels<'a>(model: &Model<'a>) -> [&'a str; 2] {
    let mut labels = model.labels().take(model.dim());
    ["x0", "x1"].map(|default| labels.next().unwrap_or(default))
}
