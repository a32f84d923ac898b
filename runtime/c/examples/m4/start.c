/* Starts a program on a Cortex-M4F of QEMU, mps2-an386; newlib's rdimon does the rest by semihosting. */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

extern int main(void);
extern void initialise_monitor_handles(void);
extern uint32_t stack_top, bss_start, bss_end;

void reset(void) {
    /* Switches the FPU on: full access to coprocessors 10 and 11. */
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20;
    __asm volatile("dsb\n isb");
    for (uint32_t *word = &bss_start; word < &bss_end; word++) {
        *word = 0;
    }
    initialise_monitor_handles();
    exit(main());
}

static void fault(void) { _exit(1); }

typedef void (*vector)(void);

__attribute__((section(".vectors"), used)) static const vector vectors[16] = {
    (vector)&stack_top, reset, fault, fault, fault, fault, fault,
};
