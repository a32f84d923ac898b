//! Integer nets: the bytes of a small one, its numbers worked out by hand, and each check of the
//! loader.

use flowlet::format::{Description, Net};
use flowlet::{Activation, Error, Kind, MAX_SCRATCH_LEN, Model, Scratch};
use flowlet_tests::encoding::encode;
use flowlet_tests::random_flow::generator;
use flowlet_tests::random_int8::{self, Size};
use flowlet_tests::tiny;
use flowlet_tests::tiny::INT8_WEIGHTS as WEIGHTS;
use flowlet_trainer::model_file::ModelFile;

/// Where things lie in [`WEIGHTS`].
mod at {
    pub(super) const FIRST_HEADER: usize = 16;
    pub(super) const FIRST_BIAS: usize = 20;
    pub(super) const FIRST_WEIGHT: usize = 36;
    pub(super) const HEADER: usize = 44;
    pub(super) const BIAS: usize = 48;
    pub(super) const WEIGHT: usize = 64;
    pub(super) const MULTIPLIER: usize = 80;
}

fn description(activation: Activation) -> Description<'static> {
    Description {
        net: Net {
            activation,
            ..tiny::int8_description().net
        },
        ..tiny::int8_description()
    }
}

fn kind() -> Kind {
    tiny::int8_description().kind
}

fn load(bytes: &[u8]) -> Result<(), Error> {
    let file = ModelFile::from_bytes("", bytes);
    Model::from_bytes(file.bytes()).map(drop)
}

/// The error after a change of the weights, by the checks of a net with this activation.
fn error_after(activation: Activation, change: impl FnOnce(&mut [u8])) -> Option<Error> {
    let mut weights = WEIGHTS;
    change(&mut weights);
    load(&encode(&description(activation), &weights)).err()
}

#[test]
fn a_net_gives_what_its_bytes_say() {
    // x0 = 0.5: the first sum is 2^21 · 4096 / 2^16 + 2^16 = 0.75 in units of 2^-18, where the table of
    // tanh has a node, round(2^15 tanh(0.75)) = 20813. Then
    // s = ⌊(1 + 100 · 20813) · 1000 / 2^16⌋ = 31758 and
    // t = ⌊(−2 − 3 · 20813) · 32767 / 2^16⌋ = −31220, in units of 2^-17.
    let file = ModelFile::from_bytes("", &encode(&description(Activation::Tanh), &WEIGHTS));
    let model = file.model().unwrap();
    let flow = model.real_nvp().unwrap();
    let mut scratch = Scratch::<MAX_SCRATCH_LEN>::new();
    let mut x = [0.5, 0.0];
    let log_det = flow.forward_and_log_det(&mut x, &[], &mut scratch).unwrap();
    let unit = 2f32.powi(-17);
    assert_eq!(log_det, 31758.0 * unit);
    assert_eq!(x, [0.5, -31220.0 * unit]);
}

#[test]
fn a_point_that_is_not_a_number_is_not_hidden() {
    let file = ModelFile::from_bytes("", &encode(&description(Activation::Tanh), &WEIGHTS));
    let model = file.model().unwrap();
    let flow = model.real_nvp().unwrap();
    let mut scratch = Scratch::<MAX_SCRATCH_LEN>::new();
    let mut x = [f32::NAN, 0.0];
    flow.forward(&mut x, &[], &mut scratch).unwrap();
    assert!(x.iter().all(|x| x.is_nan()));
}

/// Inputs beyond ±16 count as ±16.
#[test]
fn a_far_point_is_cut_off() {
    let mut weights = WEIGHTS;
    // An eighth of the weight, so that tanh still tells 16 from more.
    weights[at::FIRST_WEIGHT..at::FIRST_WEIGHT + 2].copy_from_slice(&512i16.to_le_bytes());
    let file = ModelFile::from_bytes("", &encode(&description(Activation::Tanh), &weights));
    let model = file.model().unwrap();
    let flow = model.real_nvp().unwrap();
    let mut scratch = Scratch::<MAX_SCRATCH_LEN>::new();
    let mut moved = |x0| {
        let mut x = [x0, 1.0];
        flow.forward(&mut x, &[], &mut scratch).unwrap();
        x[1]
    };
    assert_eq!(moved(16.0), moved(f32::INFINITY));
    assert_eq!(moved(16.0), moved(17.0));
    assert_eq!(moved(-16.0), moved(-1e30));
    assert_ne!(moved(16.0), moved(15.5));
}

#[test]
fn a_header_is_within_its_limits() {
    for activation in [Activation::Tanh, Activation::Elu] {
        let is_elu = activation == Activation::Elu;
        let header = |at: usize, byte| error_after(activation, |weights| weights[at] = byte);
        for (at, largest) in [
            (at::FIRST_HEADER, 8), // 15, but for the sums of these weights
            (at::FIRST_HEADER + 1, 26),
            (at::FIRST_HEADER + 2, if is_elu { 15 } else { 0 }),
            (at::FIRST_HEADER + 3, 0),
            (at::HEADER, 15),
            (at::HEADER + 1, 0),
            (at::HEADER + 2, 0),
            (at::HEADER + 3, 0),
        ] {
            assert_eq!(header(at, largest), None, "{at}");
            if at != at::FIRST_HEADER {
                assert_eq!(header(at, largest + 1), Some(Error::Malformed), "{at}");
            }
        }
        assert_eq!(header(at::FIRST_HEADER, 9), Some(Error::Overflow));
        assert_eq!(header(at::FIRST_HEADER, 16), Some(Error::Malformed));
    }
}

#[test]
fn padding_is_zero() {
    let padding = [
        at::FIRST_BIAS + 4..at::FIRST_WEIGHT,
        at::FIRST_WEIGHT + 2..at::HEADER,
        at::BIAS + 8..at::WEIGHT,
        at::WEIGHT + 2..at::MULTIPLIER,
        at::MULTIPLIER + 4..WEIGHTS.len(),
    ];
    for at in padding.into_iter().flatten() {
        let error = error_after(Activation::Tanh, |weights| weights[at] ^= 1);
        assert_eq!(error, Some(Error::Malformed), "byte {at}");
    }
}

#[test]
fn no_weight_is_minus_128_and_no_multiplier_negative() {
    for (at, byte) in [
        (at::WEIGHT, 0),
        (at::WEIGHT + 1, 0x80),
        (at::MULTIPLIER + 1, 0x80),
    ] {
        let error = error_after(Activation::Tanh, |weights| weights[at] = byte);
        assert_eq!(error, Some(Error::Malformed), "byte {at}");
    }
}

#[test]
fn no_sum_can_overflow() {
    let bias = |at: usize, bias: i32| {
        error_after(Activation::Tanh, |weights| {
            weights[at..at + 4].copy_from_slice(&bias.to_le_bytes());
        })
    };
    // The largest product of the first layer is 2^26 · 4096 / 2^16, and its sum is shifted by 2.
    let first = (i32::MAX >> 2) - (1 << 22);
    // The others' are −2^15 · 100 and −2^15 · −3.
    let [s, t] = [100, 3].map(|w| i32::MAX - (w << 15));
    for (at, largest) in [(at::FIRST_BIAS, first), (at::BIAS, s), (at::BIAS + 4, t)] {
        assert_eq!(bias(at, largest), None);
        assert_eq!(bias(at, -largest), None);
        assert_eq!(bias(at, largest + 1), Some(Error::Overflow));
        assert_eq!(bias(at, -largest - 1), Some(Error::Overflow));
        assert_eq!(bias(at, i32::MIN), Some(Error::Overflow));
    }
}

/// Wherever in a block the weight lies, six inputs and the two that fill their group up.
#[test]
fn each_weight_counts_in_the_sum_of_its_output() {
    const HIDDEN: usize = 6;
    let step_count = std::num::NonZeroU16::MIN;
    let kind = Kind::FlowMatching { step_count };
    let description = random_int8::description(4, 0, kind, &[HIDDEN as u16], Activation::Tanh);
    let error = |output: usize, input: usize, bias: i32| {
        let mut biases = [0; 4];
        biases[output] = bias;
        let mut weights = [128, 0].repeat(16);
        let pair = 16 * (input / 4) + 8 * (input % 4 / 2) + 4 * (output / 2);
        let at = pair + 2 * (input % 2) + 1 - output % 2;
        weights[at] ^= 127u8.wrapping_neg();
        let bytes = [
            &[0u8; 16][..],                // means
            &1f32.to_le_bytes().repeat(4), // standard deviations
            &[0; 4 + 2 * (16 + 8 * 5)],    // first layer: header, two blocks
            &[0; 4],                       // header
            &biases.map(i32::to_le_bytes).concat(),
            &weights,
            &[0; 8], // multipliers
        ];
        load(&encode(&description, &bytes.concat())).err()
    };
    let largest = i32::MAX - (127 << 15);
    for output in 0..4 {
        for input in 0..HIDDEN {
            assert_eq!(error(output, input, largest), None, "{output} {input}");
            let beyond = error(output, input, largest + 1);
            assert_eq!(beyond, Some(Error::Overflow), "{output} {input}");
        }
        for input in HIDDEN..8 {
            let padded = error(output, input, 0);
            assert_eq!(padded, Some(Error::Malformed), "{output} {input}");
        }
    }
}

/// A hidden layer's sums are multiplied, then shifted, which must not overflow either.
#[test]
fn no_shifted_sum_can_overflow() {
    let error = |shift: u8, bias: i32| {
        let mut middle = [0; 44];
        middle[0] = shift;
        middle[4..8].copy_from_slice(&bias.to_le_bytes());
        middle[20..36].copy_from_slice(&[128, 0].repeat(8));
        middle[36..38].copy_from_slice(&0x7FFFi16.to_le_bytes());
        let weights = [&WEIGHTS[..at::HEADER], &middle, &WEIGHTS[at::HEADER..]].concat();
        let description = random_int8::description(2, 0, kind(), &[1, 1], Activation::Tanh);
        load(&encode(&description, &weights)).err()
    };
    // ⌊bias · 32767 / 2^16⌋ may be 65534 for a shift by 15, 32 times as much for one by 10.
    for (shift, largest) in [(15, 131_074), (10, 4_194_430)] {
        let product = (i64::from(largest) * 0x7FFF) >> 16;
        assert_eq!(product, (i64::from(i32::MAX) >> shift) - 1);
        assert_eq!(error(shift, largest), None);
        assert_eq!(error(shift, largest + 1), Some(Error::Overflow));
        assert_eq!(error(shift, -largest - 1), Some(Error::Overflow));
    }
}

#[test]
fn random_nets_load_and_give_numbers() {
    let rng = &mut generator(3);
    let mut scratch = Scratch::<MAX_SCRATCH_LEN>::new();
    for (dim, context_dim, hidden) in [
        (1, 0, &[][..]),
        (1, 32, &[3]),
        (2, 0, &[64, 64]),
        (3, 2, &[5, 6, 7]),
        (64, 32, &[256, 256]),
        (64, 0, &[1, 255, 2, 254, 3, 253, 4]),
    ] {
        for activation in [Activation::Tanh, Activation::Elu] {
            if hidden.is_empty() && activation == Activation::Elu {
                continue;
            }
            for size in [Size::Usual, Size::Extreme] {
                let description =
                    random_int8::description(dim, context_dim, kind(), hidden, activation);
                let bytes = random_int8::file(&description, size, rng);
                let file = ModelFile::from_bytes("integers", &bytes);
                let model = file.model().unwrap();
                let x = vec![0.5; dim.into()];
                let context = vec![-0.25; context_dim.into()];
                let flow = model.real_nvp().unwrap();
                let log_prob = flow.log_prob(&x, &context, &mut scratch).unwrap();
                assert!(
                    log_prob < 0.0,
                    "{dim}, {context_dim}, {hidden:?}: {log_prob}"
                );
            }
        }
    }
}
