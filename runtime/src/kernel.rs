//! The inner loops.

/// A little-endian `f32` as it lies in the file.
pub(crate) type Word = [u8; 4];

/// The number that a word holds.
pub(crate) fn value(word: &Word) -> f32 {
    f32::from_le_bytes(*word)
}

/// One affine layer, `y = W x + b`, in `f32`.
///
/// # Shapes
///
/// `bias` `[outputs]`; `weight` `[inputs, outputs]`, one input's weights after the other: so each
/// output's sum runs over the inputs in order, on a target that works on many outputs at once as on
/// one that does not, and the bits are the same.
pub(crate) fn dense(bias: &[Word], weight: &[Word], x: &[f32], y: &mut [f32]) {
    for (y, b) in y.iter_mut().zip(bias) {
        *y = value(b);
    }
    let outputs = y.len();
    if outputs == 0 {
        return;
    }
    for (x, column) in x.iter().zip(weight.chunks_exact(outputs)) {
        for (y, w) in y.iter_mut().zip(column) {
            *y += x * value(w);
        }
    }
}
