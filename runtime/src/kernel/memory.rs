//! One memory, read as numbers of other types.

/// The words in `bytes`, if those begin on a word boundary and end on one.
pub(crate) fn words(bytes: &[u8]) -> Option<&[u32]> {
    #[allow(unsafe_code, reason = "any four bytes are a u32")]
    let (before, words, after) = unsafe { bytes.align_to() };
    (before.is_empty() && after.is_empty()).then_some(words)
}

/// The bytes of `words`, in the order in which they lie.
pub(crate) fn bytes(words: &[u32]) -> &[u8] {
    #[allow(unsafe_code, reason = "any u32 is four bytes, which need no alignment")]
    let (_, bytes, _) = unsafe { words.align_to() };
    bytes
}

/// Two 16-bit numbers a word.
pub(crate) fn halves(words: &[u32]) -> &[i16] {
    #[allow(unsafe_code, reason = "any u32 is two i16, aligned as it is")]
    let (_, halves, _) = unsafe { words.align_to() };
    halves
}

/// Two 16-bit numbers a word.
pub(crate) fn halves_mut(words: &mut [u32]) -> &mut [i16] {
    #[allow(
        unsafe_code,
        reason = "any u32 is two i16 and the other way, aligned as it is"
    )]
    let (_, halves, _) = unsafe { words.align_to_mut() };
    halves
}

/// One floating-point number a word.
pub(crate) fn floats_mut(words: &mut [u32]) -> &mut [f32] {
    #[allow(
        unsafe_code,
        reason = "any u32 is an f32 and the other way, aligned alike"
    )]
    let (_, floats, _) = unsafe { words.align_to_mut() };
    floats
}
