/* options.h: the command line. */
#ifndef CENSUS_OPTIONS_H
#define CENSUS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct options {
    const char *root; /* does not begin with '-' */
    uint32_t workers; /* 0: one a core */
    bool seeded;      /* the simple base */
    uint64_t seed;
    uint64_t top;
    uint64_t chunk_size; /* bytes */
    bool check;
    const char *listen; /* NULL: nobody else's files are counted */
    const char *to;     /* NULL: counted here */
    const char *trace;  /* NULL: none */
};

/** Fills in @options. False: the program ends with *@status_out, everything is said. */
bool options_parse(struct options *options, int argc, char **argv, int *status_out);

#endif
