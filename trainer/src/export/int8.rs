//! Integer nets as words, in the order in which the kernels read them.

use ndarray::Array2;

use crate::quantize::{IntegerLayer, IntegerNet};

/// Outputs of a block.
const BLOCK: usize = 4;
/// Inputs whose weights of a block lie together.
const GROUP: usize = 4;

/// The bytes of a net: for each layer a header, then its blocks.
pub(super) fn net(net: &IntegerNet) -> Vec<u8> {
    net.layers.iter().flat_map(layer).collect()
}

fn layer(layer: &IntegerLayer) -> Vec<u8> {
    let mut bytes = vec![layer.shift, layer.fraction_bits, layer.exponent, 0];
    for start in (0..layer.bias.len()).step_by(BLOCK) {
        let outputs: [usize; BLOCK] = std::array::from_fn(|i| start + i);
        let bias = outputs.map(|o| padded(&layer.bias, o));
        bytes.extend(bias.iter().flat_map(|bias| bias.to_le_bytes()));
        if layer.multiplier.is_empty() {
            first_block(&layer.weight, outputs, &mut bytes);
        } else {
            next_block(&layer.weight, outputs, &mut bytes);
            let multiplier = outputs.map(|o| padded(&layer.multiplier, o));
            bytes.extend(multiplier.iter().flat_map(|m| m.to_le_bytes()));
        }
    }
    bytes
}

/// The number of output `o`, 0 where the block is longer than the layer.
fn padded<T: Copy + Default>(numbers: &[T], o: usize) -> T {
    numbers.get(o).copied().unwrap_or_default()
}

/// For each input the 16-bit weights of the four outputs.
fn first_block(weight: &Array2<i16>, outputs: [usize; BLOCK], bytes: &mut Vec<u8>) {
    for input in 0..weight.ncols() {
        for output in outputs {
            bytes.extend(weight_at(weight, output, input).to_le_bytes());
        }
    }
}

/// For each two outputs and two inputs, and each input of those: the second output's weight plus 128,
/// then the first's.
fn next_block(weight: &Array2<i16>, outputs: [usize; BLOCK], bytes: &mut Vec<u8>) {
    let inputs = weight.ncols().next_multiple_of(GROUP);
    for pair in (0..inputs).step_by(2) {
        for two in outputs.chunks(2) {
            for input in [pair, pair + 1] {
                let [even, odd] = [two[0], two[1]].map(|o| weight_at(weight, o, input));
                bytes.extend([(odd + 128) as u8, even as u8]);
            }
        }
    }
}

/// A weight, 0 in the padding.
fn weight_at(weight: &Array2<i16>, output: usize, input: usize) -> i16 {
    weight.get((output, input)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use ndarray::arr2;

    use super::*;
    use crate::flow::Activation;

    #[test]
    fn words_lie_in_the_order_of_the_kernels() {
        let first = IntegerLayer {
            shift: 3,
            fraction_bits: 22,
            exponent: 1,
            weight: arr2(&[[1, -2], [0x1234, 5], [6, 7]]),
            bias: vec![-1, 2, 3],
            multiplier: vec![],
        };
        let last = IntegerLayer {
            shift: 2,
            fraction_bits: 0,
            exponent: 0,
            weight: arr2(&[[1, -2, 127], [-127, 3, 4]]),
            bias: vec![0x0102_0304, -2],
            multiplier: vec![0x7FFF, 5],
        };
        let integers = IntegerNet {
            layers: vec![first, last],
            activation: Activation::Elu,
        };
        #[rustfmt::skip]
        let expected = [
            3, 22, 1, 0,                                        // shift, fraction bits, exponent
            0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 0, 0,                 // biases −1, 2
            3, 0, 0, 0, 0, 0, 0, 0,                             // 3, none
            1, 0, 0x34, 0x12, 6, 0, 0, 0,                       // weights of the first input
            0xFE, 0xFF, 5, 0, 7, 0, 0, 0,                       // of the second
            2, 0, 0, 0,
            4, 3, 2, 1, 0xFE, 0xFF, 0xFF, 0xFF,                 // biases
            0, 0, 0, 0, 0, 0, 0, 0,
            1, 1, 131, 0xFE,                                    // −127 + 128, 1; 3 + 128, −2
            128, 0, 128, 0,                                     // two outputs that are not there
            132, 127, 128, 0,                                   // 4 + 128, 127; an input that is not there
            128, 0, 128, 0,
            0xFF, 0x7F, 5, 0, 0, 0, 0, 0,                       // multipliers
        ];
        assert_eq!(net(&integers), expected);
    }
}
