/* target.h: what every fuzz target defines, by libFuzzer's name for it. */
#ifndef TESTS_FUZZ_TARGET_H
#define TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/** Looks at @size bytes that a peer sent. 0: whatever they were, all is well. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Must hold in every build. */
#define DEMAND(claim)                                                                              \
    do {                                                                                           \
        if (!(claim)) {                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #claim);                    \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
