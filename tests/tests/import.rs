//! Weights from elsewhere: what is missing or amiss is told by name.

use flowlet_trainer::flow::{Flow, FlowKind};
use flowlet_trainer::import::import;
use serde_json::{Value, json};

/// Metadata and header of a velocity field of one dimension, net 2-1, with all numbers in 24 bytes.
fn header() -> Value {
    let tensor = |shape: &[usize], from: usize, to: usize| json!({"dtype": "F32", "shape": shape, "data_offsets": [from, to]});
    json!({
        "__metadata__": {"kind": "flow_matching", "dim": "1", "activation": "elu"},
        "data.mean": tensor(&[1], 0, 4),
        "data.std": tensor(&[1], 4, 8),
        "net.0.weight": tensor(&[1, 2], 8, 16),
        "net.0.bias": tensor(&[1], 16, 20),
    })
}

/// The file with this header and the numbers 1, 2, …
fn imported(header: &Value) -> Result<Flow, String> {
    let text = header.to_string();
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    let tensors = header.as_object().into_iter().flat_map(|o| o.values());
    let ends = tensors.filter_map(|tensor| tensor["data_offsets"][1].as_u64());
    let count = ends.max().unwrap_or(0) / 4;
    bytes.extend((1..=count).flat_map(|i| (i as f32).to_le_bytes()));
    imported_bytes(&bytes)
}

fn imported_bytes(bytes: &[u8]) -> Result<Flow, String> {
    let folder = tempfile::tempdir().expect("the system has a folder for temporary files");
    let path = folder.path().join("field.safetensors");
    std::fs::write(&path, bytes).expect("the folder was made a moment ago");
    import(&path).map_err(|error| error.to_string())
}

#[test]
fn numbers_and_defaults_are_those_of_the_file() {
    let flow = imported(&header()).unwrap();
    assert_eq!(flow.name, "field");
    assert_eq!((flow.dim, flow.context_dim), (1, 0));
    assert_eq!(flow.kind, FlowKind::FlowMatching { step_count: 100 });
    assert_eq!((flow.mean, flow.std), (vec![1.0], vec![2.0]));
    let layer = &flow.nets[0].layers[0];
    assert_eq!(layer.weight, ndarray::arr2(&[[3.0, 4.0]]));
    assert_eq!(layer.bias, ndarray::arr1(&[5.0]));
}

#[test]
fn doubles_are_rounded_to_f32() {
    let mut header = header();
    header["data.std"] = json!({"dtype": "F64", "shape": [1], "data_offsets": [4, 12]});
    for (name, from, to) in [("net.0.weight", 12, 20), ("net.0.bias", 20, 24)] {
        header[name]["data_offsets"] = json!([from, to]);
    }
    let text = header.to_string();
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes.extend(1.0f32.to_le_bytes());
    bytes.extend(0.1f64.to_le_bytes());
    bytes.extend([0; 12]);
    assert_eq!(imported_bytes(&bytes).unwrap().std, [0.1f32]);
}

/// A net of three inputs: the numbers are 1, 2, … as for the one of two.
fn header_with_context(mean: usize, std: usize) -> Value {
    let mut header = header();
    header["__metadata__"]["context_dim"] = json!("1");
    header["net.0.weight"]["shape"] = json!([1, 3]);
    let shapes = [
        ("data.mean", mean),
        ("data.std", std),
        ("net.0.weight", 3),
        ("net.0.bias", 1),
    ];
    let mut from = 0;
    for (name, count) in shapes {
        if name.starts_with("data") {
            header[name]["shape"] = json!([count]);
        }
        header[name]["data_offsets"] = json!([from, from + 4 * count]);
        from += 4 * count;
    }
    header
}

#[test]
fn a_context_is_read_as_it_is_unless_the_file_standardizes_it() {
    let mean_and_std = |header: &Value| {
        let flow = imported(header).unwrap();
        (flow.mean, flow.std)
    };
    assert_eq!(
        mean_and_std(&header_with_context(1, 1)),
        (vec![1.0, 0.0], vec![2.0, 1.0])
    );
    assert_eq!(
        mean_and_std(&header_with_context(2, 2)),
        (vec![1.0, 2.0], vec![3.0, 4.0])
    );
    let message = imported(&header_with_context(3, 1)).unwrap_err();
    assert!(message.contains("expected [1] or [2]"), "{message}");
}

/// Two dimensions, net 3-2, with the factor's numbers after all others.
fn header_with_factor(shape: &[usize]) -> Value {
    let mut header = header();
    header["__metadata__"]["dim"] = json!("2");
    let shapes: [(&str, &[usize]); 5] = [
        ("data.mean", &[2]),
        ("data.std", &[2]),
        ("net.0.weight", &[2, 3]),
        ("net.0.bias", &[2]),
        ("data.factor", shape),
    ];
    let mut from = 0;
    for (name, shape) in shapes {
        let to = from + 4 * shape.iter().product::<usize>();
        header[name] = json!({"dtype": "F32", "shape": shape, "data_offsets": [from, to]});
        from = to;
    }
    header
}

#[test]
fn points_are_whitened_where_the_file_has_a_factor() {
    assert_eq!(imported(&header()).unwrap().factor, None);
    // The numbers go on from 13.
    let message = imported(&header_with_factor(&[2, 2])).unwrap_err();
    assert!(message.contains("above its diagonal"), "{message}");
    let message = imported(&header_with_factor(&[3])).unwrap_err();
    assert!(
        message.contains("\"data.factor\" of shape [3]"),
        "{message}"
    );
    let message = imported(&header_with_factor(&[1, 2])).unwrap_err();
    assert!(message.contains("expected [2, 2]"), "{message}");

    let text = header_with_factor(&[2, 2]).to_string();
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    let factor = [2.0f32, 0.0, -1.0, 3.0];
    bytes.extend(
        [1.0f32; 12]
            .iter()
            .chain(&factor)
            .flat_map(|x| x.to_le_bytes()),
    );
    let factor = imported_bytes(&bytes).unwrap().factor;
    assert_eq!(factor, Some(ndarray::arr2(&[[2.0, 0.0], [-1.0, 3.0]])));
}

/// Sums of sizes that the metadata claims must not overflow, nor take memory.
#[test]
fn a_size_beyond_the_limits_is_an_error() {
    for (key, size, limit) in [
        ("dim", u64::MAX, "holds 1 to 64"),
        ("context_dim", u64::MAX, "to 32"),
        ("context_dim", 33, "to 32"),
    ] {
        let mut header = header();
        header["__metadata__"][key] = json!(size.to_string());
        let message = imported(&header).unwrap_err();
        assert!(message.contains(limit), "{message}");
    }
}

#[test]
fn what_is_amiss_is_told_by_name() {
    type Change = fn(&mut Value);
    let cases: [(Change, &[&str]); 9] = [
        (
            |header| header["__metadata__"] = json!({"dim": "1"}),
            &["no metadata", "\"kind\""],
        ),
        (
            |header| header["__metadata__"]["kind"] = json!("glow"),
            &["kind \"glow\"", "real_nvp"],
        ),
        (
            |header| header["__metadata__"]["activation"] = json!("relu"),
            &["activation \"relu\"", "tanh"],
        ),
        (
            |header| header["__metadata__"]["dim"] = json!("two"),
            &["\"dim\" = \"two\"", "not a number"],
        ),
        (
            |header| header["__metadata__"]["dim"] = json!("2"),
            &["\"data.mean\"", "[1]", "expected [2]"],
        ),
        (
            |header| header["net.0.weight"]["shape"] = json!([2]),
            &["\"net.0.weight\"", "[2]", "expected [outputs, inputs]"],
        ),
        (
            |header| header["net.0.bias"]["dtype"] = json!("I32"),
            &["\"net.0.bias\"", "I32"],
        ),
        (
            |header| {
                header["net.1.offset"] = header["net.0.bias"].take();
                header.as_object_mut().unwrap().remove("net.0.bias");
            },
            &["net.1.offset"],
        ),
        (
            |header| {
                header["net.3.bias"] = json!({
                    "dtype": "F32", "shape": [0], "data_offsets": [20, 20],
                });
            },
            &["net.3.bias", "rename it or leave it out"],
        ),
    ];
    for (change, parts) in cases {
        let mut header = header();
        change(&mut header);
        let message = imported(&header).unwrap_err();
        for part in parts {
            assert!(message.contains(part), "{message:?} says not {part:?}");
        }
    }
}

/// No numbers, but a shape that no memory holds.
#[test]
fn a_shape_beyond_memory_is_an_error() {
    let mut header = header();
    header["net.0.weight"] = json!({
        "dtype": "F32", "shape": [0, u64::MAX / 2 + 1], "data_offsets": [8, 8],
    });
    header["net.0.bias"] = json!({"dtype": "F32", "shape": [3], "data_offsets": [8, 20]});
    let message = imported(&header).unwrap_err();
    assert!(message.contains("net.0.weight"), "{message}");
}

#[test]
fn a_file_that_is_none_is_an_error() {
    for bytes in [&b""[..], b"a,b\n1,2\n", &[0xFF; 64], &[0; 64]] {
        let message = imported_bytes(bytes).unwrap_err();
        assert!(message.contains("not a safetensors file"), "{message}");
    }
}
