/* The checks' control: one that fails. */
#include "check.h"

int wrong(void);

int wrong(void)
{
    CHECK(keyfob_params_default().kind == KEYFOB_HOTP);
    return 0;
}
