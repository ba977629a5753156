/* Runs each file's checks; says which failed, and in which line. */
#include <stdio.h>

#include "check.h"

static int run(const char *name, int (*checks)(void))
{
    int line = checks();

    if (line != 0)
        fprintf(stderr, "%s.c:%d: this check failed\n", name, line);
    return line;
}

int main(void)
{
    int failed = run("token", token) | run("hashes", hashes) | run("life", life) |
                 run("proposals", proposals) | run("hostile", hostile) |
                 run("callbacks", callbacks) | run("given", given);

    return failed != 0;
}
