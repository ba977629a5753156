/* What runs before and after main: memory, the stack's high-water mark, semihosting. */
#include "board.h"

#define PAINT 0xdeadbeefU
#define SEMIHOSTING_WRITE0 0x04
#define SEMIHOSTING_EXIT_EXTENDED 0x20
#define APPLICATION_EXIT 0x20026

extern uint32_t data_load[], data_start[], data_end[], bss_start[], bss_end[], stack_top[];

int main(void);

static void semihosting(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static __attribute__((noreturn)) void leave(uint32_t code)
{
    uint32_t reason[] = {APPLICATION_EXIT, code};

    for (;;)
        semihosting(SEMIHOSTING_EXIT_EXTENDED, reason);
}

void say(const char *text)
{
    semihosting(SEMIHOSTING_WRITE0, text);
}

uint32_t stack_used_bytes(void)
{
    const volatile uint32_t *word = bss_end;

    while (*word == PAINT)
        word++;
    return (uint32_t)(stack_top - word) * sizeof *word;
}

void reset(void);

__attribute__((noreturn)) void reset(void)
{
    const uint32_t *from = data_load;

    for (volatile uint32_t *to = data_start; to < data_end; to++)
        *to = *from++;
    for (volatile uint32_t *to = bss_start; to < bss_end; to++)
        *to = 0;
    for (volatile uint32_t *to = bss_end; to < (uint32_t *)__builtin_frame_address(0) - 16; to++)
        *to = PAINT;
    leave((uint32_t)main());
}

static void fault(void)
{
    say("a fault\n");
    leave(1);
}

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack_top;
    void (*reset)(void), (*interrupt)(void), (*fault)(void);
} vectors = {stack_top, reset, fault, fault};
