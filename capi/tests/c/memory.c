#include "memory.h"

static int load(void *context, const void *id, keyfob_record_t *record)
{
    const memory_t *memory = context;

    (void)id;
    if (memory->fails)
        return KEYFOB_LOAD_FAILED;
    if (!memory->is_full)
        return KEYFOB_LOAD_NOTHING;
    *record = memory->record;
    return KEYFOB_LOAD_FOUND;
}

/* One thread alone uses this memory, so nothing has to be done to make it atomic. */
static int compare_and_swap(void *context, const void *id, const keyfob_write_t *write)
{
    memory_t *memory = context;
    int expects_record = write->kind != KEYFOB_WRITE_INSERT;

    (void)id;
    if (memory->fails)
        return KEYFOB_SWAP_FAILED;
    if (memory->conflicts > 0) {
        memory->conflicts--;
        return KEYFOB_SWAP_CONFLICT;
    }
    if (expects_record != memory->is_full)
        return KEYFOB_SWAP_CONFLICT;
    if (expects_record && memory->record.revision != write->expected_revision)
        return KEYFOB_SWAP_CONFLICT;
    memory->is_full = write->kind != KEYFOB_WRITE_DELETE;
    memory->record = write->next;
    return KEYFOB_SWAP_STORED;
}

keyfob_store_t memory_store(memory_t *memory)
{
    keyfob_store_t store = {0};

    store.context = memory;
    store.load = load;
    store.compare_and_swap = compare_and_swap;
    return store;
}

/* George Marsaglia's xorshift: no randomness for secrets. */
static int fill(void *context, uint8_t *bytes, size_t length)
{
    uint32_t *state = context;

    for (size_t i = 0; i < length; i++) {
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        bytes[i] = (uint8_t)(*state >> 8);
    }
    return 1;
}

keyfob_entropy_t repeatable_entropy(uint32_t *state)
{
    keyfob_entropy_t entropy = {0};

    entropy.context = state;
    entropy.fill = fill;
    return entropy;
}

size_t length_of(const char *text)
{
    size_t length = 0;

    while (text[length] != '\0')
        length++;
    return length;
}

int same(const char *one, const char *other)
{
    while (*one != '\0' && *one == *other) {
        one++;
        other++;
    }
    return *one == *other;
}
