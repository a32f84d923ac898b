//! `flowlet import`.

use super::*;
use safetensors::Safetensors;

/// The message for a file that is wrong.
fn message(file: &Safetensors) -> String {
    message_for(&file.bytes())
}

fn message_for(bytes: &[u8]) -> String {
    let folder = Folder::new();
    folder.write("flow.safetensors", bytes);
    let message = folder.fail("import flow.safetensors -o flow.flow");
    message.replace("flow.safetensors", "FILE")
}

#[test]
fn import_reports_the_model() {
    let folder = Folder::new();
    folder.copy("golden/flow_matching_4d_context.safetensors");
    let report =
        folder.json("import flow_matching_4d_context.safetensors --precision f32 -o flow.flow");
    let mut inspected = folder.json("inspect flow.flow");
    let boards = inspected.as_object_mut().unwrap().remove("boards");
    assert!(boards.is_some_and(|boards| boards.is_array()));
    assert_eq!(report, inspected);
    assert_eq!(report["kind"], "flow-matching");
    assert_eq!(report["dim"], 4);
    assert_eq!(report["context_dim"], 3);
}

#[test]
fn double_precision_gives_the_same_model() {
    let folder = Folder::new();
    folder.write("flow.safetensors", Safetensors::real_nvp().bytes());
    folder.succeed("import flow.safetensors -o single.flow");
    folder.write("flow.safetensors", Safetensors::real_nvp().in_f64().bytes());
    folder.succeed("import flow.safetensors -o double.flow");
    assert!(folder.read("single.flow") == folder.read("double.flow"));
}

#[test]
fn missing_metadata_is_named() {
    for key in ["kind", "dim", "activation", "scale_clip"] {
        let message = message(&Safetensors::real_nvp().without(key));
        assert_tells(
            &message,
            &["FILE has no metadata", key, "flowlet import --help"],
        );
    }
}

#[test]
fn wrong_metadata_is_shown() {
    for (key, value, facts) in [
        ("kind", "glow", ["real_nvp", "flow_matching"]),
        ("activation", "gelu", ["tanh", "elu"]),
        ("dim", "two", ["dim", "not a number"]),
        ("dim", "-2", ["dim", "not a number"]),
        ("scale_clip", "much", ["scale_clip", "not a number"]),
    ] {
        let message = message(&Safetensors::real_nvp().says(key, value));
        assert_tells(&message, &["FILE", &format!("{value:?}")]);
        assert_tells(&message, &facts);
    }
}

#[test]
fn missing_tensor_is_named() {
    for name in [
        "data.mean",
        "data.std",
        "layers.0.net.0.weight",
        "layers.1.net.0.bias",
    ] {
        let message = message(&Safetensors::real_nvp().without(name));
        assert_tells(&message, &["FILE has no tensor", name]);
    }
}

#[test]
fn wrong_shape_is_named_beside_the_right_one() {
    let flow = Safetensors::real_nvp();
    let mean = flow.clone().with("data.mean", &[3], &[0.0; 3]);
    assert_tells(&message(&mean), &["FILE", "data.mean", "[3]", "[2]"]);
    let bias = flow.clone().with("layers.0.net.0.bias", &[1], &[0.0]);
    assert_tells(
        &message(&bias),
        &["FILE", "layers.0.net.0.bias", "[1]", "[2]"],
    );
    let flat = flow.clone().with("layers.0.net.0.weight", &[2], &[0.0; 2]);
    assert_tells(
        &message(&flat),
        &["FILE", "layers.0.net.0.weight", "[outputs, inputs]"],
    );
    let wide = flow.with("layers.1.net.0.weight", &[2, 2], &[0.0; 4]);
    assert_tells(&message(&wide), &["net 1", "2-2", "1-2"]);
}

#[test]
fn tensor_that_is_left_over_is_named() {
    for name in ["layers.3.net.0.weight", "layers.0.net.0.gain", "optimizer"] {
        let message = message(&Safetensors::real_nvp().with(name, &[1], &[1.0]));
        assert_tells(&message, &["FILE has a tensor", name]);
    }
}

#[test]
fn other_number_types_are_named() {
    let half = Safetensors::real_nvp().tensor("data.mean", "F16", &[2], vec![0; 4]);
    assert_tells(&message(&half), &["FILE", "data.mean", "F16", "F32"]);
}

#[test]
fn numbers_that_make_no_model_are_refused() {
    let flow = Safetensors::real_nvp();
    let flat = flow.clone().with("data.std", &[2], &[1.0, 0.0]);
    assert_tells(&message(&flat), &["standard deviation", "not positive"]);
    let infinite = flow.clone().with("data.mean", &[2], &[1.0, f32::INFINITY]);
    assert_tells(&message(&infinite), &["infinite or NaN"]);
    let wide = flow.clone().says("scale_clip", "500");
    assert_tells(&message(&wide), &["bound on s"]);
}

#[test]
fn other_files_are_not_safetensors() {
    let whole = Safetensors::real_nvp().bytes();
    let model = folder_with_moons().read("moons.flow");
    for bytes in [
        &[],
        &whole[..4],
        &whole[..whole.len() - 1],
        b"x,y\n1,2\n3,4\n",
        &model,
    ] {
        assert_tells(&message_for(bytes), &["FILE is not a safetensors file"]);
    }
}
