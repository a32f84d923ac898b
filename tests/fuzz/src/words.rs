//! Bytes on a word boundary.

/// The bytes in words, filled up with ones.
pub fn words_of(bytes: &[u8]) -> Vec<u32> {
    let words = bytes.chunks(4).map(|chunk| {
        let mut word = [0xFF; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        u32::from_ne_bytes(word)
    });
    words.collect()
}

/// All bytes of the words.
#[allow(unsafe_code, reason = "bytes of words are bytes")]
pub fn bytes_of(words: &[u32]) -> &[u8] {
    // SAFETY: the words are as many times four bytes.
    unsafe { core::slice::from_raw_parts(words.as_ptr().cast(), 4 * words.len()) }
}
