//! A model in the caller's memory.

use core::mem::MaybeUninit;

use flowlet::Model;

/// Words of the size of a pointer that a model takes.
pub const FLOWLET_MODEL_WORDS: usize = 40;

/// A loaded model: declare one wherever it lives as long as it is used, and call flowlet_init on it.
///
/// What it holds is of no concern; it is no larger than FLOWLET_MODEL_WORDS pointers and needs no clean-up.
/// One that is all zeros has no model.
#[allow(non_camel_case_types, reason = "a name of C")]
#[repr(C)]
#[derive(Debug)]
pub struct flowlet_model {
    opaque: [usize; FLOWLET_MODEL_WORDS],
}

/// What is in the memory.
#[repr(C)]
pub(crate) struct Slot {
    /// [`LOADED`] where there is a model.
    tag: usize,
    model: MaybeUninit<Model<'static>>,
}

/// Neither zero nor what memory is filled with.
const LOADED: usize = 0x6C66_5EED;

const _: () = assert!(
    size_of::<Slot>() <= size_of::<flowlet_model>()
        && align_of::<Slot>() <= align_of::<flowlet_model>()
);

impl Slot {
    pub(crate) fn empty(&mut self) {
        self.tag = 0;
    }

    pub(crate) fn fill(&mut self, model: Model<'static>) {
        self.model.write(model);
        self.tag = LOADED;
    }

    #[allow(unsafe_code, reason = "C has no other way to tell")]
    pub(crate) fn model(&self) -> Option<&Model<'static>> {
        // SAFETY: the tag is written after the model alone.
        (self.tag == LOADED).then(|| unsafe { self.model.assume_init_ref() })
    }
}
