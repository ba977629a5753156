/* A check that fails ends its function with the line it stands in; 0 is success. */
#ifndef CHECK_H
#define CHECK_H

#include "keyfob.h"

#define CHECK(condition)     \
    do {                     \
        if (!(condition))    \
            return __LINE__; \
    } while (0)

/* Each is a file of the same name. */
int token(void);
int life(void);
int proposals(void);
int hostile(void);
int hashes(void);
int callbacks(void);
int given(void);

#endif
