/* Runs the checks that CHECKS names on the board, and says what became of them. */
#include "check.h"
#include "board.h"

int CHECKS(void);

#ifdef NEWLIB
#include <stdio.h>

static void say_number(const char *what, uint32_t number)
{
    char text[64];

    snprintf(text, sizeof text, "%s %lu\n", what, (unsigned long)number);
    say(text);
}
#else
static void say_number(const char *what, uint32_t number)
{
    char digits[] = "         0\n";
    char *digit = digits + 9;

    for (; number > 0; number /= 10)
        *digit-- = (char)('0' + number % 10);
    say(what);
    say(digits);
}
#endif

int main(void)
{
    int line = CHECKS();

    if (line != 0) {
        say_number("failed: the check in line", (uint32_t)line);
        return 1;
    }
    say_number("passed; bytes of stack:", stack_used_bytes());
    return 0;
}
