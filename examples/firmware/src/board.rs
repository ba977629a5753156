//! What differs between boards: how a program starts, how it counts instructions, how it resets.

#[cfg(target_arch = "arm")]
pub use arm::*;
#[cfg(target_arch = "riscv32")]
pub use riscv32::*;

use semihosting::process;
use semihosting::sys::arm_compat::sys_writec;

/// Shows text on the display, which here is the debugger's console.
pub fn show(text: &str) {
    text.bytes().for_each(sys_writec);
}

/// Shows a number in hexadecimal, which takes neither `core::fmt` nor a division.
pub fn show_number(number: u32) {
    for digit in (0..8).rev() {
        let [value, ..] = (number >> (4 * digit)).to_le_bytes();
        sys_writec(b"0123456789abcdef"[usize::from(value & 0xf)]);
    }
}

/// Ends the program, and QEMU with it: well if `passed`.
pub fn finish(passed: bool) -> ! {
    process::exit(i32::from(!passed))
}

#[cfg(target_arch = "arm")]
mod arm {
    use cortex_m::peripheral::{SCB, SYST, syst::SystClkSource};
    pub use cortex_m_rt::entry;

    /// As far as the timer counts before it begins anew.
    const MOST_TICKS: u32 = 0x00ff_ffff;

    /// The timer's ticks while `work` was done. In QEMU, which lets an instruction take a
    /// nanosecond (`-icount shift=0`), they tell how many there were.
    pub fn ticks(work: impl FnOnce()) -> u32 {
        // SAFETY: nothing else uses the timer.
        let mut timer = unsafe { cortex_m::Peripherals::steal() }.SYST;
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(MOST_TICKS);
        timer.clear_current();
        timer.enable_counter();
        let before = SYST::get_current();
        work();
        before.wrapping_sub(SYST::get_current()) & MOST_TICKS
    }

    /// Starts the program anew. Memory keeps what it holds, as on a board whose reset is pressed.
    pub fn reset() -> ! {
        SCB::sys_reset()
    }
}

#[cfg(target_arch = "riscv32")]
mod riscv32 {
    use riscv::register::minstret;
    pub use riscv_rt::entry;

    /// The instructions that `work` took.
    pub fn ticks(work: impl FnOnce()) -> u32 {
        let before = instructions();
        work();
        instructions().wrapping_sub(before)
    }

    fn instructions() -> u32 {
        u32::try_from(minstret::read()).unwrap_or(u32::MAX)
    }

    /// Starts the program anew. Memory keeps what it holds, as on a board whose reset is pressed.
    pub fn reset() -> ! {
        const TEST_DEVICE: *mut u32 = 0x10_0000 as *mut u32;
        const RESET: u32 = 0x7777;
        // SAFETY: QEMU's `virt` has a register there, and this value resets it.
        unsafe { TEST_DEVICE.write_volatile(RESET) };
        loop {
            riscv::asm::nop();
        }
    }
}
