//! Model files: each byte of a small one, what is read back, and each check that a file must pass.

use flowlet::format::{self, Description};
use flowlet::{Activation, Aligned, Error, Kind, Model, Threshold};
use flowlet_tests::encoding::{encode, repair, weights_of};
use flowlet_tests::random_flow::{real_nvps, velocity_fields};
use flowlet_tests::{golden, tiny};
use flowlet_trainer::export::{export, with_threshold};
use flowlet_trainer::flow::{Flow, FlowKind};
use flowlet_trainer::model_file::ModelFile;
use flowlet_trainer::read_back::read_back;

const PRECISION: flowlet::Precision = flowlet::Precision::F32;

/// Where a field of [`tiny::REAL_NVP`] begins, the last one of [`tiny::FLOW_MATCHING`].
mod at {
    pub(super) const VERSION: usize = 7;
    pub(super) const NAME: usize = 12;
    pub(super) const LABELS: usize = 16;
    pub(super) const WHITENED: usize = 22;
    pub(super) const CALIBRATED: usize = 23;
    pub(super) const KIND: usize = 24;
    pub(super) const SCALE_CLIP: usize = 26;
    pub(super) const PRECISION: usize = 30;
    pub(super) const ACTIVATION: usize = 31;
    pub(super) const HIDDEN: usize = 32;
    pub(super) const PADDING: usize = 34;
    pub(super) const WEIGHTS: usize = 35;
    pub(super) const NUMBERS: usize = 36;
    pub(super) const STD: usize = 44;
    pub(super) const FACTOR: usize = 52;
    pub(super) const CONTEXT_STD: usize = 44;
}

/// The error of a file, wherever its bytes lie.
fn error_of(bytes: &[u8]) -> Option<Error> {
    let file = ModelFile::from_bytes("", bytes);
    Model::from_bytes(file.bytes()).err()
}

/// The error of the tiny RealNVP after a change, with length and checksum made to match.
fn error_after(change: impl FnOnce(&mut Vec<u8>)) -> Option<Error> {
    let mut bytes = tiny::REAL_NVP.to_vec();
    change(&mut bytes);
    repair(&mut bytes);
    error_of(&bytes)
}

/// The error of the tiny RealNVP with another description, and weights as many as that asks for.
fn error_of_description(change: impl FnOnce(&mut Description<'_>)) -> Option<Error> {
    let mut description = tiny::real_nvp_description();
    change(&mut description);
    let ones = 1.0f32.to_le_bytes().repeat(description.word_count());
    error_of(&encode(&description, &ones))
}

fn all_flows() -> Vec<Flow> {
    let names = golden::REAL_NVP.iter().chain(&golden::FLOW_MATCHING);
    let golden = names.map(|name| golden::flow(name)).collect();
    let tiny = vec![tiny::real_nvp(), tiny::flow_matching()];
    [real_nvps(), velocity_fields(), golden, tiny].concat()
}

#[test]
fn a_real_nvp_is_these_bytes() {
    let file = export(&tiny::real_nvp(), PRECISION).unwrap();
    assert_eq!(file.bytes(), tiny::REAL_NVP);
    let description = tiny::real_nvp_description();
    assert_eq!(file.model().unwrap().description(), &description);
}

#[test]
fn a_velocity_field_is_these_bytes() {
    let file = export(&tiny::flow_matching(), PRECISION).unwrap();
    assert_eq!(file.bytes(), tiny::FLOW_MATCHING);
    let description = tiny::flow_matching_description();
    assert_eq!(file.model().unwrap().description(), &description);
}

#[test]
fn a_threshold_lies_between_the_transform_and_the_nets() {
    const TRANSFORM: usize = 28;
    let threshold = Threshold {
        log_prob: -2.5,
        false_alarms: 0.25,
        at_least: 0.125,
        at_most: 0.5,
        rows: 3,
    };
    let plain = tiny::real_nvp_description();
    let mut weights = weights_of(&tiny::REAL_NVP, &plain).to_vec();
    let words = [
        [0x00, 0x00, 0x20, 0xC0], // −2.5
        [0x00, 0x00, 0x80, 0x3E], // 0.25
        [0x00, 0x00, 0x00, 0x3E], // 0.125
        [0x00, 0x00, 0x00, 0x3F], // 0.5
        [3, 0, 0, 0],
    ];
    weights.splice(TRANSFORM..TRANSFORM, words.concat());
    let description = Description {
        calibrated: true,
        ..plain
    };
    let by_hand = encode(&description, &weights);
    let file = ModelFile::from_bytes("", &tiny::REAL_NVP);
    assert_eq!(file.model().unwrap().threshold(), None);
    let written = with_threshold(&file, &threshold).unwrap();
    assert_eq!(written.bytes(), by_hand);
    assert_eq!(written.model().unwrap().threshold(), Some(threshold));
    // The nets are where they were, and a second threshold takes the place of the first.
    let other = Threshold {
        log_prob: 1.0,
        ..threshold
    };
    let [once, twice] = [&file, &written].map(|file| with_threshold(file, &other).unwrap());
    assert_eq!(once.bytes(), twice.bytes());
    let flows = [&file, &written].map(|file| read_back(file).unwrap().nets);
    assert_eq!(flows[0], flows[1]);
}

#[test]
fn a_threshold_is_checked() {
    let calibrated = |rows: [u8; 4]| {
        let mut weights = 1.0f32.to_le_bytes().repeat(11).to_vec();
        weights.extend(rows);
        weights.extend(1.0f32.to_le_bytes().repeat(6));
        weights
    };
    let description = Description {
        calibrated: true,
        ..tiny::real_nvp_description()
    };
    let error = |weights: &[u8]| error_of(&encode(&description, weights));
    assert_eq!(error(&calibrated([1, 0, 0, 0])), None);
    // As many rows as are no number.
    assert_eq!(
        error(&calibrated([0, 0, 0x80, 0x7F])),
        Some(Error::NotFinite)
    );
    let mut not_finite = calibrated([1, 0, 0, 0]);
    not_finite[28..32].copy_from_slice(&f32::NAN.to_le_bytes());
    assert_eq!(error(&not_finite), Some(Error::NotFinite));
    // No log-probability, no threshold.
    let field = Description {
        calibrated: true,
        ..tiny::flow_matching_description()
    };
    let ones = 1.0f32.to_le_bytes().repeat(field.word_count());
    assert_eq!(error_of(&encode(&field, &ones)), Some(Error::Malformed));
}

#[test]
fn what_is_read_back_is_what_was_written() {
    for flow in all_flows() {
        let file = export(&flow, PRECISION).unwrap();
        let model = file.model().unwrap();
        assert_eq!(model.name(), flow.name);
        assert!(model.labels().eq(flow.labels.iter().map(String::as_str)));
        assert_eq!(
            (model.dim(), model.context_dim()),
            (flow.dim, flow.context_dim)
        );
        assert_eq!(kind(&model), flow.kind);
        let net = &model.description().net;
        assert_eq!(net.precision, PRECISION);
        let activation = match net.hidden.len() {
            // There is nothing to activate.
            0 => Activation::Tanh,
            _ => flow.nets[0].activation,
        };
        assert_eq!(net.activation, activation);
        let hidden = flow.nets[0].layers.iter().rev().skip(1).rev();
        let hidden = hidden.map(|layer| layer.bias.len());
        assert!(
            net.hidden
                .iter()
                .map(|&width| usize::from(width))
                .eq(hidden)
        );
        assert_eq!(model.description().net_count(), flow.nets.len());
        assert!(model.mean().eq(flow.mean.iter().copied()));
        assert!(model.std().eq(flow.std.iter().copied()));
        assert!(model.factor().eq(factor(&flow)));
        assert_eq!(
            weights_of(file.bytes(), model.description()),
            numbers(&flow).collect::<Vec<u8>>(),
            "{}",
            flow.name
        );
    }
}

fn kind(model: &Model<'_>) -> FlowKind {
    match model.kind() {
        Kind::RealNvp { scale_clip, .. } => FlowKind::RealNvp { scale_clip },
        Kind::FlowMatching { step_count } => FlowKind::FlowMatching {
            step_count: step_count.get(),
        },
    }
}

/// The lower triangle, row by row.
fn factor(flow: &Flow) -> impl Iterator<Item = f32> {
    let cells = flow.factor.iter().flat_map(|factor| factor.indexed_iter());
    cells.filter(|((i, j), _)| j <= i).map(|(_, x)| *x)
}

/// The numbers in the order that `FORMAT.md` gives.
fn numbers(flow: &Flow) -> impl Iterator<Item = u8> {
    let mut numbers = [&flow.mean[..], &flow.std].concat();
    numbers.extend(factor(flow));
    for layer in flow.nets.iter().flat_map(|net| &net.layers) {
        numbers.extend(&layer.bias);
        for input in layer.weight.columns() {
            numbers.extend(input);
        }
    }
    numbers.into_iter().flat_map(f32::to_le_bytes)
}

#[test]
fn export_writes_the_one_encoding_there_is() {
    for flow in all_flows() {
        let file = export(&flow, PRECISION).unwrap();
        let model = file.model().unwrap();
        let weights = weights_of(file.bytes(), model.description());
        let by_hand = encode(model.description(), weights);
        assert_eq!(file.bytes(), by_hand, "{}", flow.name);
    }
}

#[test]
fn a_file_is_the_same_after_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tiny.flow");
    let file = export(&tiny::real_nvp(), PRECISION).unwrap();
    file.write(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), tiny::REAL_NVP);
    assert_eq!(ModelFile::read(&path).unwrap().bytes(), tiny::REAL_NVP);
}

#[test]
fn checksum_is_that_of_the_catalogue() {
    assert_eq!(format::checksum(b"123456789"), 0xCBF4_3926);
}

#[test]
fn bytes_after_the_end_are_an_error() {
    let bytes = [&tiny::REAL_NVP[..], &[0]].concat();
    let error = Error::TooLong {
        expected: 92,
        found: 93,
    };
    assert_eq!(error_of(&bytes), Some(error));
    // Also where the header counts them, before the checksum and behind it.
    assert_eq!(
        error_after(|bytes| bytes.insert(88, 0)),
        Some(Error::Malformed)
    );
    assert_eq!(
        error_after(|bytes| bytes.extend([0; 4])),
        Some(Error::Malformed)
    );
}

#[test]
fn no_model_a_cut_one_and_a_damaged_one_are_told_apart() {
    assert_eq!(error_of(b""), Some(Error::NotAModel));
    assert_eq!(error_of(b"x,y\n1,2\n3,4\n5,6\n"), Some(Error::NotAModel));
    for found in 1..92 {
        let expected = if found < 12 { 12 } else { 92 };
        let error = Error::Truncated { expected, found };
        assert_eq!(error_of(&tiny::REAL_NVP[..found]), Some(error));
    }
    let mut bytes = tiny::REAL_NVP;
    bytes[50] ^= 1;
    assert!(matches!(error_of(&bytes), Some(Error::Checksum { .. })));
}

#[test]
fn another_version_is_named_beside_the_one_that_is_read() {
    for version in [0, 2, 255] {
        let error = error_after(|bytes| bytes[at::VERSION] = version).unwrap();
        assert_eq!(error, Error::Version { found: version });
        let message = error.to_string();
        assert!(
            message.contains(&format!("version {version},")),
            "{message}"
        );
        assert!(message.contains("version 1:"), "{message}");
    }
    // Whatever a later version holds, its header is told before its end.
    let header = [&b"flowlet\x02"[..], &[40, 0, 0, 0]].concat();
    assert_eq!(error_of(&header), Some(Error::Version { found: 2 }));
}

#[test]
fn a_slice_off_the_word_boundary_is_an_error() {
    let mut buffer = Aligned([0; 96]);
    for shift in 1..4 {
        let bytes = &mut buffer.0[shift..shift + 92];
        bytes.copy_from_slice(&tiny::REAL_NVP);
        assert_eq!(Model::from_bytes(bytes).err(), Some(Error::Misaligned));
    }
    let bytes = &mut buffer.0[..92];
    bytes.copy_from_slice(&tiny::REAL_NVP);
    assert_eq!(Model::from_bytes(bytes).err(), None);
}

/// A varint may be longer than it needs to be, for postcard; not for a model file.
#[test]
fn an_overlong_varint_is_an_error() {
    let varints = [
        at::NAME,
        at::LABELS,
        at::KIND,
        at::PRECISION,
        at::ACTIVATION,
        at::HIDDEN,
        at::HIDDEN + 1,
    ];
    for at in varints {
        let error = error_after(|bytes| {
            take_padding(bytes);
            lengthen(bytes, at);
        });
        assert_eq!(error, Some(Error::Malformed), "varint at {at}");
    }
    let error = error_after(|bytes| {
        take_padding(bytes);
        lengthen(bytes, at::WEIGHTS - 1);
    });
    assert_eq!(error, Some(Error::Malformed), "length of the weights");
    let error = error_after(|bytes| {
        take_padding(bytes);
        lengthen(bytes, at::PADDING);
    });
    assert_eq!(error, Some(Error::Malformed), "length of the padding");
}

/// Makes room for one byte more before the weights.
fn take_padding(bytes: &mut Vec<u8>) {
    bytes[at::PADDING] = 0;
    bytes.remove(at::PADDING + 1);
}

/// The same number in two bytes.
fn lengthen(bytes: &mut Vec<u8>, at: usize) {
    bytes[at] |= 0x80;
    bytes.insert(at + 1, 0);
}

#[test]
fn padding_is_as_short_as_can_be_and_zero() {
    let not_zero = error_after(|bytes| bytes[at::PADDING + 1] = 1);
    assert_eq!(not_zero, Some(Error::Malformed));
    let too_short = error_after(take_padding);
    assert_eq!(too_short, Some(Error::Malformed));
    let too_long = error_after(|bytes| {
        bytes[at::PADDING] = 5;
        bytes.splice(at::WEIGHTS..at::WEIGHTS, [0; 4]);
    });
    assert_eq!(too_long, Some(Error::Malformed));
}

/// Else a net without hidden layers would have two encodings.
#[test]
fn nothing_to_activate_is_written_as_tanh() {
    let activation = |activation, hidden: &[u16]| {
        error_of_description(|description| {
            description.net.activation = activation;
            description.net.hidden = hidden.iter().copied().collect();
        })
    };
    assert_eq!(activation(Activation::Elu, &[1]), None);
    assert_eq!(activation(Activation::Tanh, &[]), None);
    assert_eq!(activation(Activation::Elu, &[]), Some(Error::Malformed));
}

#[test]
fn what_no_writer_writes_is_malformed() {
    let bytes = [
        ("a truth value that is neither", at::WHITENED, 2),
        ("another one", at::CALIBRATED, 2),
        ("a kind that does not exist", at::KIND, 2),
        ("a precision that does not exist", at::PRECISION, 2),
        ("an activation that does not exist", at::ACTIVATION, 2),
        ("a name that is not UTF-8", at::NAME + 1, 0xFF),
        ("labels that are not UTF-8", at::LABELS + 1, 0xFF),
        ("a name beyond the end", at::NAME, 0x7F),
        ("weights beyond the end", at::WEIGHTS, 53),
    ];
    for (what, at, byte) in bytes {
        let error = error_after(|bytes| bytes[at] = byte);
        assert_eq!(error, Some(Error::Malformed), "{what}");
    }
    let nine_layers = error_after(|bytes| {
        bytes[at::HIDDEN] = 8;
        bytes.splice(at::HIDDEN + 1..at::HIDDEN + 2, [1; 8]);
    });
    assert_eq!(nine_layers, Some(Error::Malformed));
    for steps in [[0x00].as_slice(), &[0x80, 0x80, 0x04]] {
        let mut bytes = tiny::FLOW_MATCHING.to_vec();
        bytes.splice(23..25, steps.iter().copied());
        repair(&mut bytes);
        assert_eq!(error_of(&bytes), Some(Error::Malformed), "{steps:?} steps");
    }
}

#[test]
fn a_net_without_hidden_layers_has_one_activation() {
    let mut description = tiny::flow_matching_description();
    let weights = weights_of(&tiny::FLOW_MATCHING, &description);
    assert_eq!(error_of(&encode(&description, weights)), None);
    description.net.activation = Activation::Elu;
    let error = error_of(&encode(&description, weights));
    assert_eq!(error, Some(Error::Malformed));
}

#[test]
fn each_limit_is_allowed_and_one_more_is_not() {
    let limit = |what, found, max| Some(Error::Limit { what, found, max });
    let dim = |dim| {
        error_of_description(|description| {
            description.labels = "";
            description.dim = dim;
        })
    };
    assert_eq!(dim(0), limit("dimension", 0, 64));
    assert_eq!((dim(1), dim(64)), (None, None));
    assert_eq!(dim(65), limit("dimension", 65, 64));

    let context = |context_dim| {
        error_of_description(|description| {
            description.labels = "";
            description.context_dim = context_dim;
        })
    };
    assert_eq!((context(0), context(32)), (None, None));
    assert_eq!(context(33), limit("context", 33, 32));

    let layers = |layer_count| {
        error_of_description(|description| {
            description.kind = Kind::RealNvp {
                layer_count,
                scale_clip: 2.0,
            };
        })
    };
    assert_eq!(layers(0), limit("number of layers", 0, 32));
    assert_eq!((layers(1), layers(32)), (None, None));
    assert_eq!(layers(33), limit("number of layers", 33, 32));

    let hidden = |widths: &[u16]| {
        error_of_description(|description| {
            description.net.hidden = widths.iter().copied().collect();
        })
    };
    assert_eq!(hidden(&[1, 0]), limit("width", 0, 256));
    assert_eq!((hidden(&[]), hidden(&[256; 7])), (None, None));
    assert_eq!(hidden(&[1, 257]), limit("width", 257, 256));
}

#[test]
fn scale_clip_is_above_0_and_at_most_80() {
    let clip = |scale_clip: f32| {
        error_after(|bytes| {
            bytes[at::SCALE_CLIP..at::SCALE_CLIP + 4].copy_from_slice(&scale_clip.to_le_bytes());
        })
    };
    for wrong in [0.0, -0.0, -2.0, 80.1, f32::INFINITY, f32::NAN, -f32::NAN] {
        assert_eq!(clip(wrong), Some(Error::ScaleClip), "{wrong}");
    }
    for right in [f32::MIN_POSITIVE, 2.0, 80.0] {
        assert_eq!(clip(right), None, "{right}");
    }
}

#[test]
fn labels_are_none_or_one_for_each_column() {
    let labels = |labels| {
        error_of_description(|description| {
            description.labels = labels;
            description.context_dim = 1;
        })
    };
    let error = |found| Some(Error::Labels { expected: 3, found });
    assert_eq!((labels(""), labels("a\nb\nc")), (None, None));
    assert_eq!(labels("a"), error(1));
    assert_eq!(labels("a\nb"), error(2));
    assert_eq!(labels("a\nb\nc\n"), error(4));
}

#[test]
fn no_number_may_be_infinite_or_nan() {
    for at in (at::NUMBERS..at::NUMBERS + 52).step_by(4) {
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let error =
                error_after(|bytes| bytes[at..at + 4].copy_from_slice(&wrong.to_le_bytes()));
            assert_eq!(error, Some(Error::NotFinite), "{wrong} at {at}");
        }
    }
}

#[test]
fn standard_deviations_are_positive() {
    for at in [at::STD, at::STD + 4] {
        for wrong in [0.0f32, -0.0, -1.0] {
            let error =
                error_after(|bytes| bytes[at..at + 4].copy_from_slice(&wrong.to_le_bytes()));
            assert_eq!(error, Some(Error::Std), "{wrong} at {at}");
        }
    }
    let mut of_context = tiny::FLOW_MATCHING;
    of_context[at::CONTEXT_STD..at::CONTEXT_STD + 4].fill(0);
    repair(&mut of_context);
    assert_eq!(error_of(&of_context), Some(Error::Std));
}

#[test]
fn the_factors_diagonal_is_positive() {
    let error = |i: usize, number: f32| {
        let at = at::FACTOR + 4 * i;
        error_after(|bytes| bytes[at..at + 4].copy_from_slice(&number.to_le_bytes()))
    };
    for wrong in [0.0f32, -0.0, -1.0] {
        assert_eq!(error(0, wrong), Some(Error::Factor), "{wrong}");
        assert_eq!(error(1, wrong), None, "{wrong}");
        assert_eq!(error(2, wrong), Some(Error::Factor), "{wrong}");
    }
    // The last of the most there are.
    let mut description = tiny::real_nvp_description();
    (description.labels, description.dim) = ("", 64);
    let mut weights = 1.0f32.to_le_bytes().repeat(description.word_count());
    let last = 4 * (description.transform_len() - 1);
    weights[last..last + 4].fill(0);
    assert_eq!(
        error_of(&encode(&description, &weights)),
        Some(Error::Factor)
    );
}

#[test]
fn a_factor_is_square_and_the_points() {
    let mut flow = tiny::real_nvp();
    for (rows, columns, what) in [(3, 2, "3 rows"), (2, 1, "1 columns")] {
        flow.factor = Some(ndarray::Array2::ones((rows, columns)));
        let error = export(&flow, PRECISION).unwrap_err().to_string();
        assert!(
            error.contains(what) && error.contains("Cholesky factor"),
            "{error}"
        );
    }
}

#[test]
fn weights_are_as_many_as_the_description_asks_for() {
    let description = tiny::real_nvp_description();
    for found in [0, 4, 48, 51, 53, 56] {
        let error = Error::Weights {
            expected: 52,
            found,
        };
        let ones = 1.0f32.to_le_bytes().repeat(14);
        let bytes = encode(&description, &ones[..found]);
        assert_eq!(error_of(&bytes), Some(error));
    }
}
