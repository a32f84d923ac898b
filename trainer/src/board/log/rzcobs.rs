//! The encoding of a frame's bytes without zeros, by runs of zeros and of others.

/// Undoes rzCOBS: from the end on, each control byte tells which of the bytes before it are zeros.
pub(super) fn unstuff(frame: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = vec![];
    let mut rest = frame.iter().rev().copied();
    while let Some(control) = rest.next() {
        match control {
            0 => return None,
            0x01..=0x7F => {
                for bit in (0..7).rev() {
                    match control >> bit & 1 {
                        0 => bytes.push(rest.next()?),
                        _ => bytes.push(0),
                    }
                }
            }
            0x80..=0xFE => {
                bytes.push(0);
                for _ in 0..(control & 0x7F) + 7 {
                    bytes.push(rest.next()?);
                }
            }
            0xFF => {
                for _ in 0..134 {
                    bytes.push(rest.next()?);
                }
            }
        }
    }
    bytes.reverse();
    Some(bytes)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A frame as a board sends it, with a zero after it: seven bytes at a time, each but the last whole.
    pub(in super::super) fn encode(bytes: &[u8]) -> Vec<u8> {
        let mut frame = vec![];
        for chunk in bytes.chunks(7) {
            let mut control = 0x7F & !0 << chunk.len();
            for (i, byte) in chunk.iter().enumerate() {
                match byte {
                    0 => control |= 1 << i,
                    byte => frame.push(*byte),
                }
            }
            match control {
                // Seven bytes without a zero are the shortest run of such.
                0 => frame.push(0x80),
                control => frame.push(control),
            }
        }
        frame.push(0);
        frame
    }

    /// As defmt's own tests have it.
    #[test]
    fn runs_of_zeros_and_of_others_are_undone() {
        let unstuffed = |frame: &[u8]| unstuff(frame).unwrap();
        let run = [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77];
        // Zeros at the end are padding.
        assert_eq!(
            unstuffed(&[&run[..], &[0x80]].concat()),
            [&run[..], &[0]].concat()
        );
        let run = [&run[..], &[0x88]].concat();
        assert_eq!(
            unstuffed(&[&run[..], &[0x81]].concat()),
            [&run[..], &[0]].concat()
        );
        let mut expected = [0; 14];
        expected[13] = 0xFF;
        assert_eq!(unstuffed(&[0x7F, 0xFF, 0x3F]), expected);
        expected[5] = 0x44;
        assert_eq!(unstuffed(&[0x44, 0x5F, 0xFF, 0x3F]), expected);
        let longest: Vec<u8> = (1..=134).collect();
        assert_eq!(unstuffed(&[&longest[..], &[0xFF]].concat()), longest);
        let shorter = &longest[..133];
        assert_eq!(
            unstuffed(&[shorter, &[0xFE]].concat()),
            [shorter, &[0]].concat()
        );
        assert_eq!(unstuff(&[shorter, &[0xFF]].concat()), None);
    }
}
