//! QEMU's interface for plugins, version 1, as far as it is used; its header is `qemu-plugin.h`.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr::null_mut;

use crate::tally;

type Id = u64;
type OnBlock = extern "C" fn(Id, *mut Block);
type OnInstruction = extern "C" fn(c_uint, *mut c_void);
type OnAccess = extern "C" fn(c_uint, u32, u64, *mut c_void);

/// Instructions that QEMU translates at once.
#[repr(C)]
struct Block {
    _opaque: [u8; 0],
}

#[repr(C)]
struct Instruction {
    _opaque: [u8; 0],
}

/// What QEMU tells of itself, as far as it is read.
#[repr(C)]
struct Info {
    target_name: *const c_char,
}

const NO_REGISTERS: c_int = 0;
const ADD: c_int = 0;
const LOADS_AND_STORES: c_int = 3;

unsafe extern "C" {
    fn qemu_plugin_register_vcpu_tb_trans_cb(id: Id, callback: OnBlock);
    fn qemu_plugin_tb_n_insns(block: *const Block) -> usize;
    fn qemu_plugin_tb_get_insn(block: *const Block, index: usize) -> *mut Instruction;
    fn qemu_plugin_insn_data(instruction: *const Instruction) -> *const c_void;
    fn qemu_plugin_insn_size(instruction: *const Instruction) -> usize;
    fn qemu_plugin_register_vcpu_insn_exec_cb(
        instruction: *mut Instruction,
        callback: OnInstruction,
        flags: c_int,
        data: *mut c_void,
    );
    fn qemu_plugin_register_vcpu_insn_exec_inline(
        instruction: *mut Instruction,
        operation: c_int,
        operand: *mut c_void,
        value: u64,
    );
    fn qemu_plugin_register_vcpu_mem_cb(
        instruction: *mut Instruction,
        callback: OnAccess,
        flags: c_int,
        kind: c_int,
        data: *mut c_void,
    );
    fn qemu_plugin_mem_is_store(access: u32) -> bool;
}

/// The version of the interface, which QEMU looks up.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "QEMU's name")]
static qemu_plugin_version: c_int = 1;

/// Called once, when QEMU loads the plugin; an answer other than 0 ends QEMU.
#[unsafe(no_mangle)]
unsafe extern "C" fn qemu_plugin_install(
    id: Id,
    info: *const Info,
    argument_count: c_int,
    arguments: *const *const c_char,
) -> c_int {
    // SAFETY: QEMU gives both.
    let target = unsafe { CStr::from_ptr((*info).target_name) };
    let on_block = match target.to_bytes() {
        b"arm" => on_arm_block,
        b"riscv32" => on_riscv_block,
        _ => {
            eprintln!(
                "the counter has no markers for {target:?}: run an Arm or a 32-bit RISC-V core"
            );
            return 1;
        }
    };
    // SAFETY: the callback stays, as the plugin is never unloaded.
    unsafe { qemu_plugin_register_vcpu_tb_trans_cb(id, on_block) };
    for i in 0..usize::try_from(argument_count).unwrap_or(0) {
        // SAFETY: QEMU gives `argument_count` strings.
        let argument = unsafe { CStr::from_ptr(*arguments.add(i)) };
        let Some(floor) = argument.to_str().ok().and_then(floor) else {
            eprintln!("{argument:?} is no argument of the counter: give floor=ADDRESS");
            return 1;
        };
        tally::set_floor(floor);
    }
    0
}

fn floor(argument: &str) -> Option<u64> {
    argument.strip_prefix("floor=")?.parse().ok()
}

extern "C" fn on_arm_block(_: Id, block: *mut Block) {
    // SAFETY: QEMU lends the block.
    unsafe { watch(block, &[0xD2, 0x46], &[0xDB, 0x46]) }
}

extern "C" fn on_riscv_block(_: Id, block: *mut Block) {
    // SAFETY: QEMU lends the block.
    unsafe { watch(block, &[0x13, 0x20, 0x10, 0x70], &[0x13, 0x20, 0x20, 0x70]) }
}

/// Has the instructions of a block counted, but for those with the codes of the markers.
unsafe fn watch(block: *mut Block, begin: &[u8], end: &[u8]) {
    // SAFETY: the block and its instructions live until the caller returns.
    unsafe {
        for i in 0..qemu_plugin_tb_n_insns(block) {
            let instruction = qemu_plugin_tb_get_insn(block, i);
            let data = qemu_plugin_insn_data(instruction).cast::<u8>();
            let code = std::slice::from_raw_parts(data, qemu_plugin_insn_size(instruction));
            // Before a page's end, QEMU 7.2 gives the start of the next instruction with it.
            if code.starts_with(begin) {
                mark(instruction, on_begin);
            } else if code.starts_with(end) {
                mark(instruction, on_end);
            } else {
                count(instruction);
            }
        }
    }
}

unsafe fn mark(instruction: *mut Instruction, callback: OnInstruction) {
    // SAFETY: the callback uses no data.
    unsafe {
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, callback, NO_REGISTERS, null_mut());
    }
}

unsafe fn count(instruction: *mut Instruction) {
    let instructions = tally::INSTRUCTIONS.as_ptr().cast();
    // SAFETY: the count is a static, of the type that QEMU adds to; the callback uses no data.
    unsafe {
        qemu_plugin_register_vcpu_insn_exec_inline(instruction, ADD, instructions, 1);
        // Not inline too: QEMU 7.2 adds for loads where stores are asked for.
        qemu_plugin_register_vcpu_mem_cb(
            instruction,
            on_access,
            NO_REGISTERS,
            LOADS_AND_STORES,
            null_mut(),
        );
    }
}

extern "C" fn on_begin(_: c_uint, _: *mut c_void) {
    tally::begin();
}

extern "C" fn on_end(_: c_uint, _: *mut c_void) {
    tally::end();
}

extern "C" fn on_access(_: c_uint, access: u32, address: u64, _: *mut c_void) {
    // SAFETY: asks about the number alone.
    match unsafe { qemu_plugin_mem_is_store(access) } {
        true => tally::store(address),
        false => tally::load(),
    }
}
