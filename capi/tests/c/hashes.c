/* Codes of the other hashes (RFC 6238, appendix B), and Steam's. */
#include "check.h"
#include "memory.h"

/* The digits over and over, as long as the hash's output: a shorter key gives other codes. */
static const uint8_t SECRET[] = "1234567890123456789012345678901234567890123456789012345678901234";

static const struct {
    uint64_t time;
    const char *sha256, *sha512;
} CODES[] = {{59, "46119246", "90693936"},         {1111111109, "68084774", "25091201"},
             {1111111111, "67062674", "99943326"}, {1234567890, "91819424", "93441116"},
             {2000000000, "90698825", "38618901"}, {20000000000, "77737706", "47863826"}};

static int codes_are(uint32_t algorithm, size_t length, uint64_t time, const char *expected)
{
    keyfob_params_t params = keyfob_params_default();
    keyfob_secret_t secret;
    keyfob_code_t code;

    params.algorithm = algorithm;
    params.format = KEYFOB_EIGHT_DIGITS;
    CHECK(keyfob_secret_from_bytes(&secret, SECRET, length) == KEYFOB_OK);
    CHECK(keyfob_totp_code(&secret, &params, time, &code) == KEYFOB_OK);
    CHECK(same(code.text, expected));
    return 0;
}

static int steam(void)
{
    static const char BASE32[] = "63BEDWCQZKTQWPESARIERL5DTTQFCJTK";
    keyfob_params_t params = keyfob_params_default();
    keyfob_secret_t secret;
    keyfob_code_t code;

    params.format = KEYFOB_STEAM;
    CHECK(keyfob_secret_from_base32(&secret, BASE32, 32) == KEYFOB_OK);
    CHECK(keyfob_totp_code(&secret, &params, 1511200518, &code) == KEYFOB_OK);
    CHECK(same(code.text, "FR8RV"));
    CHECK(keyfob_totp_code(&secret, &params, 1511200714, &code) == KEYFOB_OK);
    CHECK(same(code.text, "9P3VP"));
    return 0;
}

int hashes(void)
{
    int line;

    for (size_t i = 0; i < sizeof CODES / sizeof CODES[0]; i++) {
        if ((line = codes_are(KEYFOB_SHA256, 32, CODES[i].time, CODES[i].sha256)) ||
            (line = codes_are(KEYFOB_SHA512, 64, CODES[i].time, CODES[i].sha512)))
            return line;
    }
    return steam();
}
