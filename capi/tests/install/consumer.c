/* A program of somebody who installed keyfob. */
#include <keyfob.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    static const char BASE32[] = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    const keyfob_params_t params = keyfob_params_default();
    keyfob_secret_t secret;
    keyfob_code_t code;
    keyfob_status_t status = keyfob_secret_from_base32(&secret, BASE32, strlen(BASE32));

    if (status == KEYFOB_OK)
        status = keyfob_totp_code(&secret, &params, 59, &code);
    if (status != KEYFOB_OK) {
        fprintf(stderr, "%s\n", keyfob_status_text(status));
        return 1;
    }
    puts(code.text);
    keyfob_wipe(&secret, sizeof secret);
    return 0;
}
