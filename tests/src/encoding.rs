//! Model files written by hand, from the tables of `FORMAT.md` alone.

use flowlet::format::{Activation, Description, Kind, Precision};

/// Bytes of the header.
const HEADER: usize = 12;
/// Bytes of the checksum.
const CHECKSUM: usize = 4;

/// A model file with this description and these weights, sound or not.
pub fn encode(description: &Description<'_>, weights: &[u8]) -> Vec<u8> {
    let mut bytes = b"flowlet\x01\0\0\0\0".to_vec();
    bytes.extend(encode_description(description));
    let length = varint(weights.len());
    let before_padding = bytes.len() + 1 + length.len();
    let padding = before_padding.next_multiple_of(4) - before_padding;
    bytes.push(padding as u8);
    bytes.extend(vec![0; padding]);
    bytes.extend(length);
    bytes.extend(weights);
    bytes.extend([0; CHECKSUM]);
    repair(&mut bytes);
    bytes
}

/// Sets length and checksum to what the bytes between them ask for, where there is room for both.
pub fn repair(bytes: &mut [u8]) {
    let length = bytes.len();
    if length < HEADER + CHECKSUM {
        return;
    }
    bytes[HEADER - 4..HEADER].copy_from_slice(&(length as u32).to_le_bytes());
    let checksum = crc32(&bytes[..length - CHECKSUM]);
    bytes[length - CHECKSUM..].copy_from_slice(&checksum.to_le_bytes());
}

/// The weights of a file that is as long as its description asks.
pub fn weights_of<'b>(bytes: &'b [u8], description: &Description<'_>) -> &'b [u8] {
    let end = bytes.len() - CHECKSUM;
    &bytes[end - 4 * description.word_count()..end]
}

/// CRC-32 bit by bit, as the catalogue defines it.
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xEDB8_8320
            } else {
                crc >> 1
            };
        }
    }
    !crc
}

fn encode_description(description: &Description<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in [description.name, description.labels] {
        bytes.extend(varint(text.len()));
        bytes.extend(text.as_bytes());
    }
    bytes.extend([description.dim, description.context_dim]);
    bytes.extend([description.whitened, description.calibrated].map(u8::from));
    match description.kind {
        Kind::RealNvp {
            layer_count,
            scale_clip,
        } => {
            bytes.extend([0, layer_count]);
            bytes.extend(scale_clip.to_le_bytes());
        }
        Kind::FlowMatching { step_count } => {
            bytes.push(1);
            bytes.extend(varint(step_count.get().into()));
        }
    }
    bytes.push(match description.net.precision {
        Precision::F32 => 0,
        flowlet::Precision::Int8 => 1,
    });
    bytes.push(match description.net.activation {
        Activation::Tanh => 0,
        Activation::Elu => 1,
    });
    bytes.extend(varint(description.net.hidden.len()));
    for width in &description.net.hidden {
        bytes.extend(varint((*width).into()));
    }
    bytes
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn crc_check_value_is_that_of_the_catalogue() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }
}
