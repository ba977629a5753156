//! No panic path: a proof by the linker.
//!
//! Where there is no operating system, the handler of panics calls a function that nobody supplies.
//! The optimiser removes the handler with the last way to it; while there is one, firmware doesn't
//! link.

#[cfg(target_os = "none")]
#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        fn keyfob_has_a_panic_path() -> !;
    }
    // SAFETY: it doesn't exist, so nothing that calls it was ever linked.
    unsafe { keyfob_has_a_panic_path() }
}

/// The proof's control: with it, firmware must not link.
#[cfg(feature = "panic-control")]
#[unsafe(no_mangle)]
pub extern "C" fn keyfob_divide(dividend: u32, divisor: u32) -> u32 {
    dividend / divisor
}
