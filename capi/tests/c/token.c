/* What a token does, and a verifier without a store: codes, burned steps. */
#include "check.h"
#include "memory.h"

static const uint8_t SECRET[] = "12345678901234567890";

/* RFC 4226, appendix D. */
static const char *const HOTP_CODES[] = {"755224", "287082", "359152", "969429", "338314",
                                         "254676", "287922", "162583", "399871", "520489"};

/* RFC 6238, appendix B, SHA-1. */
static const struct {
    uint64_t time;
    const char *code;
} TOTP_CODES[] = {{59, "94287082"},         {1111111109, "07081804"}, {1111111111, "14050471"},
                  {1234567890, "89005924"}, {2000000000, "69279037"}, {20000000000, "65353130"}};

static int hotp_codes(const keyfob_secret_t *secret)
{
    keyfob_params_t params = keyfob_params_default();
    keyfob_code_t code;

    params.kind = KEYFOB_HOTP;
    for (uint64_t counter = 0; counter < 10; counter++) {
        CHECK(keyfob_hotp_code(secret, &params, counter, &code) == KEYFOB_OK);
        CHECK(same(code.text, HOTP_CODES[counter]));
    }
    CHECK(keyfob_hotp_code(secret, &params, UINT64_MAX, &code) == KEYFOB_OK);
    CHECK(same(code.text, "094451"));
    CHECK(keyfob_totp_code(secret, &params, 0, &code) == KEYFOB_WRONG_KIND);
    return 0;
}

static int totp_codes(const keyfob_secret_t *secret)
{
    keyfob_params_t params = keyfob_params_default();
    keyfob_code_t code;
    uint64_t seconds;

    params.format = KEYFOB_EIGHT_DIGITS;
    for (size_t i = 0; i < sizeof TOTP_CODES / sizeof TOTP_CODES[0]; i++) {
        CHECK(keyfob_totp_code(secret, &params, TOTP_CODES[i].time, &code) == KEYFOB_OK);
        CHECK(same(code.text, TOTP_CODES[i].code));
    }
    CHECK(keyfob_totp_remaining_seconds(&params, 59, &seconds) == KEYFOB_OK && seconds == 1);
    params.period_seconds = 0;
    CHECK(keyfob_totp_code(secret, &params, 59, &code) == KEYFOB_INVALID_ARGUMENT);
    params.period_seconds = 30;
    params.format = 12;
    CHECK(keyfob_totp_code(secret, &params, 59, &code) == KEYFOB_INVALID_ARGUMENT);
    return 0;
}

static int a_code_counts_once(const keyfob_secret_t *secret)
{
    keyfob_params_t params = keyfob_params_default();
    keyfob_window_t window = {1, 1};
    keyfob_burned_t burned = {0, 0};
    keyfob_match_t found;

    CHECK(keyfob_totp_verify(secret, &params, "000 000", 7, 59, window, &burned, &found) ==
          KEYFOB_MISMATCH);
    CHECK(burned.any == 0);
    CHECK(keyfob_totp_verify(secret, &params, "287 082", 7, 59, window, &burned, &found) == KEYFOB_OK);
    CHECK(burned.any != 0 && burned.last_step == 1 && found.step == 1 && found.offset == 0);
    CHECK(keyfob_totp_verify(secret, &params, "287082", 6, 59, window, &burned, &found) ==
          KEYFOB_REPLAYED);
    CHECK(keyfob_totp_verify(secret, &params, "+87082", 6, 59, window, &burned, &found) ==
          KEYFOB_CODE_SYMBOL);
    window.past = 11;
    CHECK(keyfob_totp_verify(secret, &params, "287082", 6, 59, window, &burned, &found) ==
          KEYFOB_INVALID_ARGUMENT);
    return 0;
}

static int a_counter_is_followed(const keyfob_secret_t *secret)
{
    keyfob_params_t params = keyfob_params_default();
    keyfob_window_t window = {1, 10};
    keyfob_burned_t burned = {4, 1};
    keyfob_match_t found;

    params.kind = KEYFOB_HOTP;
    CHECK(keyfob_hotp_verify(secret, &params, "162583", 6, window, &burned, &found) == KEYFOB_OK);
    CHECK(found.step == 7 && burned.last_step == 7);
    CHECK(keyfob_hotp_verify(secret, &params, "162583", 6, window, &burned, &found) ==
          KEYFOB_REPLAYED);
    return 0;
}

int token(void)
{
    keyfob_secret_t secret;
    int line;

    CHECK(keyfob_secret_from_bytes(&secret, SECRET, 20) == KEYFOB_OK);
    if ((line = hotp_codes(&secret)) || (line = totp_codes(&secret)) ||
        (line = a_code_counts_once(&secret)) || (line = a_counter_is_followed(&secret)))
        return line;
    keyfob_wipe(&secret, sizeof secret);
    CHECK(secret.length == 0 && secret.bytes[0] == 0);
    return 0;
}
