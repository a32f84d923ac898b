//! The place for models, in the program's image.
//!
//! The boot loader shows the core those pages of flash that the image has, and no others. So the
//! place is a part of the image, filled when the firmware is built, or in the ELF file afterwards,
//! between the symbols `_model_start` and `_model_end`.

/// Bytes, as `_model_end` has it.
const LEN: usize = 512 << 10;

#[repr(C, align(4))]
struct Place([u8; LEN]);

/// Read by its address only: the compiler must not know what is there.
#[unsafe(export_name = "_model_start")]
#[used]
static PLACE: Place = Place(*include_bytes!(concat!(env!("OUT_DIR"), "/models.bin")));
