// The header in C++11, and a call through it.
#include "keyfob.h"

#include <cstdint>

int main()
{
    const keyfob_params_t params = keyfob_params_default();
    std::uint64_t seconds = 0;
    return keyfob_totp_remaining_seconds(&params, 59, &seconds) == KEYFOB_OK && seconds == 1 ? 0 : 1;
}
