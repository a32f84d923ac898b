//! Models in flash.

/// Bytes that begin on a word boundary; [`include_model!`](crate::include_model) makes them.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(4))]
pub struct Aligned<T: ?Sized>(
    /// The bytes.
    pub T,
);

/// Includes a model file as `&'static [u8]` on a word boundary, as
/// [`Model::from_bytes`](crate::Model::from_bytes) needs it.
///
/// The path is relative to the source file, as for [`include_bytes!`], which alone would promise
/// no alignment.
///
/// ```
/// static MOONS: &[u8] = flowlet::include_model!("moons.flow");
/// assert_eq!(MOONS.as_ptr() as usize % 4, 0);
/// ```
#[macro_export]
macro_rules! include_model {
    ($path:expr $(,)?) => {{
        static MODEL: &$crate::Aligned<[u8]> = &$crate::Aligned(*include_bytes!($path));
        &MODEL.0
    }};
}
