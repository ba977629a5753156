/* The control: it lends 19 bytes and says that they are 20, then reads the last itself. Whoever
 * watches over memory must see it. */
#include <stdlib.h>
#include <string.h>

#include "keyfob.h"

int main(void)
{
    uint8_t *bytes = malloc(19);
    keyfob_secret_t secret;
    int last;

    memset(bytes, 7, 19);
    keyfob_secret_from_bytes(&secret, bytes, 20);
    last = bytes[19];
    free(bytes);
    return last == secret.bytes[19];
}
