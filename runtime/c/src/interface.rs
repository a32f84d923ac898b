//! The functions that C calls.
//!
//! Every pointer is checked for null and for its alignment; that it leads to as many values as its length says,
//! to which nobody else writes meanwhile, is for the caller to keep.
#![allow(unsafe_code, reason = "C passes pointers")]
#![allow(
    clippy::too_many_arguments,
    reason = "a pointer and a length are two in C"
)]

use core::ffi::{c_char, c_void};
use core::num::NonZeroU16;
use core::slice;

use flowlet::{Model, StandardNormal};

use crate::error::flowlet_error::{self, *};
use crate::model::{Slot, flowlet_model};
use crate::random::{Source, flowlet_random};

/// Checks a model file and loads it into `model`, which keeps a pointer to the file: both have to stay where they
/// are as long as the model is used. All checks are made here.
///
/// - `model`: memory for a model, written.
/// - `file`: `len` bytes, from a word boundary on, in flash or anywhere.
///
/// Gives FLOWLET_NULL, FLOWLET_MISALIGNED, FLOWLET_TOO_LONG, or what is wrong with the file; `model` then has no model.
///
/// # Safety
///
/// Pointers lead to what is said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flowlet_init(
    model: *mut flowlet_model,
    file: *const u8,
    len: usize,
) -> flowlet_error {
    let load = || -> Result<(), flowlet_error> {
        // SAFETY: by the caller; what lies there is not read before it is written.
        let slot = unsafe { one_mut(model.cast::<Slot>()) }?;
        slot.empty();
        check(file)?;
        // SAFETY: by the caller, who keeps the file.
        let bytes = unsafe { many(file, len) }?;
        slot.fill(Model::from_bytes(bytes)?);
        Ok(())
    };
    load().into()
}

/// Dimensions of a point; 0 where there is no model.
///
/// # Safety
///
/// `model` is null or leads to a model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flowlet_dim(model: *const flowlet_model) -> usize {
    // SAFETY: by the caller.
    unsafe { loaded(model) }.map_or(0, Model::dim)
}

/// Numbers in a context; 0 where there is no model.
///
/// # Safety
///
/// `model` is null or leads to a model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flowlet_context_dim(model: *const flowlet_model) -> usize {
    // SAFETY: by the caller.
    unsafe { loaded(model) }.map_or(0, Model::context_dim)
}

/// Words of 32 bits that the scratch needs; 0 where there is no model.
///
/// # Safety
///
/// `model` is null or leads to a model.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flowlet_scratch_len(model: *const flowlet_model) -> usize {
    // SAFETY: by the caller.
    unsafe { loaded(model) }.map_or(0, Model::scratch_len)
}

/// Takes noise `x` to a point in the data's units, in place.
///
/// - `x`: `dim` standard-normal numbers, then the point.
/// - `context`: `context_len` numbers; may be null where there are none.
/// - `scratch`: `scratch_len` words.
/// - `steps`: Euler steps of flow matching; 0 for the model's own number.
///
/// Gives FLOWLET_NULL, FLOWLET_MISALIGNED, FLOWLET_TOO_LONG, FLOWLET_NO_MODEL, FLOWLET_DIM, FLOWLET_CONTEXT or
/// FLOWLET_SCRATCH, and then leaves `x` as it is.
///
/// # Safety
///
/// Pointers lead to what is said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flowlet_transport(
    model: *const flowlet_model,
    x: *mut f32,
    dim: usize,
    context: *const f32,
    context_len: usize,
    scratch: *mut u32,
    scratch_len: usize,
    steps: u16,
) -> flowlet_error {
    let transport = || {
        // SAFETY: by the caller.
        let (model, x, context, scratch) = unsafe {
            (
                loaded(model)?,
                many_mut(x, dim)?,
                many(context, context_len)?,
                many_mut(scratch, scratch_len)?,
            )
        };
        let transported = model.transport(x, NonZeroU16::new(steps), context, scratch);
        transported.map_err(flowlet_error::from)
    };
    transport().into()
}

/// Draws a point: noise from `random`, then flowlet_transport.
///
/// - `random`: gives 32 random bits at each call; called with `state`.
/// - all else as for flowlet_transport; `x` is only written, and on an error holds nothing of use.
///
/// # Safety
///
/// Pointers lead to what is said above, and `random` may be called with `state`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flowlet_sample(
    model: *const flowlet_model,
    random: flowlet_random,
    state: *mut c_void,
    x: *mut f32,
    dim: usize,
    context: *const f32,
    context_len: usize,
    scratch: *mut u32,
    scratch_len: usize,
    steps: u16,
) -> flowlet_error {
    let noise = || {
        let random = random.ok_or(FLOWLET_NULL)?;
        // SAFETY: by the caller.
        let (model, x) = unsafe { (loaded(model)?, many_mut(x, dim)?) };
        if model.dim() != dim {
            return Err(FLOWLET_DIM);
        }
        let mut source = Source { random, state };
        x.iter_mut()
            .for_each(|x| *x = StandardNormal.sample(&mut source));
        Ok(())
    };
    match noise() {
        // SAFETY: by the caller.
        Ok(()) => unsafe {
            flowlet_transport(
                model,
                x,
                dim,
                context,
                context_len,
                scratch,
                scratch_len,
                steps,
            )
        },
        Err(error) => error,
    }
}

/// The log-probability of a point, in nats, in the data's units.
///
/// - `x`: `dim` numbers.
/// - `context`, `scratch`: as for flowlet_transport.
/// - `log_prob`: the result, written where nothing is wrong.
///
/// Gives the errors of flowlet_transport, and FLOWLET_NOT_REAL_NVP.
///
/// # Safety
///
/// Pointers lead to what is said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flowlet_log_prob(
    model: *const flowlet_model,
    x: *const f32,
    dim: usize,
    context: *const f32,
    context_len: usize,
    scratch: *mut u32,
    scratch_len: usize,
    log_prob: *mut f32,
) -> flowlet_error {
    let compute = || {
        // SAFETY: by the caller.
        let (model, x, context, scratch, log_prob) = unsafe {
            (
                loaded(model)?,
                many(x, dim)?,
                many(context, context_len)?,
                many_mut(scratch, scratch_len)?,
                one_mut(log_prob)?,
            )
        };
        *log_prob = model.log_prob(x, context, scratch)?;
        Ok(())
    };
    compute().into()
}

/// Whether a point of this log-probability is strange: below the model's threshold, or not a number.
///
/// - `is_strange`: the result, written where nothing is wrong.
///
/// Gives FLOWLET_NULL, FLOWLET_NO_MODEL, or FLOWLET_NOT_CALIBRATED.
///
/// # Safety
///
/// Pointers lead to what is said above.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn flowlet_is_strange(
    model: *const flowlet_model,
    log_prob: f32,
    is_strange: *mut bool,
) -> flowlet_error {
    let compare = || {
        // SAFETY: by the caller.
        let model = unsafe { loaded(model)? };
        check(is_strange)?;
        let threshold = model.threshold().ok_or(FLOWLET_NOT_CALIBRATED)?;
        // SAFETY: by the caller; what lies there is no bool before.
        unsafe { is_strange.write(threshold.is_strange(log_prob)) };
        Ok(())
    };
    compare().into()
}

/// A sentence that says what an error is; never null, and never to be freed.
#[unsafe(no_mangle)]
pub extern "C" fn flowlet_error_name(error: i32) -> *const c_char {
    let sentence = flowlet_error::of(error).map(flowlet_error::sentence);
    sentence.unwrap_or(c"there is no such error").as_ptr()
}

/// The model that a pointer leads to.
///
/// # Safety
///
/// It is null, or leads to memory for a model that outlives `'a`.
unsafe fn loaded<'a>(model: *const flowlet_model) -> Result<&'a Model<'static>, flowlet_error> {
    check(model)?;
    // SAFETY: by the caller; it is neither null nor misaligned, and a slot is no larger than the memory.
    let slot = unsafe { &*model.cast::<Slot>() };
    slot.model().ok_or(FLOWLET_NO_MODEL)
}

/// # Safety
///
/// The pointer is null, or leads to a value that outlives `'a` and that nothing else uses.
unsafe fn one_mut<'a, T>(pointer: *mut T) -> Result<&'a mut T, flowlet_error> {
    check(pointer)?;
    // SAFETY: by the caller; it is neither null nor misaligned.
    Ok(unsafe { &mut *pointer })
}

/// # Safety
///
/// The pointer is null, or leads to `len` values that outlive `'a` and are not written meanwhile.
unsafe fn many<'a, T>(pointer: *const T, len: usize) -> Result<&'a [T], flowlet_error> {
    if len == 0 {
        return Ok(&[]);
    }
    check_many(pointer, len)?;
    // SAFETY: by the caller; it is neither null nor misaligned, and the values are no more than memory holds.
    Ok(unsafe { slice::from_raw_parts(pointer, len) })
}

/// # Safety
///
/// The pointer is null, or leads to `len` values that outlive `'a` and that nothing else uses.
unsafe fn many_mut<'a, T>(pointer: *mut T, len: usize) -> Result<&'a mut [T], flowlet_error> {
    if len == 0 {
        return Ok(&mut []);
    }
    check_many(pointer, len)?;
    // SAFETY: by the caller; it is neither null nor misaligned, and the values are no more than memory holds.
    Ok(unsafe { slice::from_raw_parts_mut(pointer, len) })
}

/// A slice has at most as many bytes as `isize` counts, and does not reach around the end of memory.
fn check_many<T>(pointer: *const T, len: usize) -> Result<(), flowlet_error> {
    check(pointer)?;
    let bytes = len.checked_mul(size_of::<T>());
    let bytes = bytes.filter(|bytes| *bytes <= isize::MAX.unsigned_abs());
    let end = bytes.and_then(|bytes| pointer.addr().checked_add(bytes));
    end.map(drop).ok_or(FLOWLET_TOO_LONG)
}

fn check<T>(pointer: *const T) -> Result<(), flowlet_error> {
    if pointer.is_null() {
        return Err(FLOWLET_NULL);
    }
    pointer.is_aligned().then_some(()).ok_or(FLOWLET_MISALIGNED)
}
