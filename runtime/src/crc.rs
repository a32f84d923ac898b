//! The checksum of a model file.

/// CRC-32 (IEEE 802.3: reflected, polynomial 0x04C11DB7, start and end inverted).
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    crc32_after(0, bytes)
}

/// The CRC-32 of what had the CRC-32 `crc`, and `bytes` after it; 0 is that of nothing.
///
/// Four bits at a time: a table of 64 bytes suits a small flash, and a file is checked once.
pub fn crc32_after(crc: u32, bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!crc, |crc, &byte| {
        let crc = crc ^ u32::from(byte);
        let crc = (crc >> 4) ^ TABLE[(crc & 0xF) as usize];
        (crc >> 4) ^ TABLE[(crc & 0xF) as usize]
    })
}

/// Each remainder of four bits.
static TABLE: [u32; 16] = {
    let mut table = [0; 16];
    let mut i = 0;
    while i < 16 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 4 {
            crc = (crc >> 1) ^ ((crc & 1) * 0xEDB8_8320);
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::{crc32, crc32_after};

    #[test]
    fn check_value_is_that_of_the_catalogue() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32_after(crc32(b"1234"), b"56789"), 0xCBF4_3926);
    }
}
