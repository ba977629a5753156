/* The control: firmware that calls what can panic must not link. */
#include <stdint.h>

uint32_t keyfob_divide(uint32_t dividend, uint32_t divisor);

static volatile uint32_t divisor;

int main(void)
{
    return (int)keyfob_divide(1, divisor);
}
