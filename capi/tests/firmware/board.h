/* The board, as far as the checks need it. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

/* Writes a text to the debugger. */
void say(const char *text);

/* The most bytes of stack that were in use since the start. */
uint32_t stack_used_bytes(void);

#endif
