/* A store of one record in memory, and randomness to be repeated: for tests alone. */
#ifndef MEMORY_H
#define MEMORY_H

#include "keyfob.h"

typedef struct {
    keyfob_record_t record;
    int is_full;
    int fails;        /* other than 0: the store can't be used */
    int conflicts;    /* so many swaps find that somebody else wrote */
} memory_t;

keyfob_store_t memory_store(memory_t *memory);
keyfob_entropy_t repeatable_entropy(uint32_t *state);
size_t length_of(const char *text);
int same(const char *one, const char *other);

#endif
