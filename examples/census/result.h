/* result.h: everything the census found, in the hands of main. */
#ifndef CENSUS_RESULT_H
#define CENSUS_RESULT_H

#include "table.h"

struct result {
    struct table table; /* sorted by name, after result_sort(), and then not to be added to */
    uint64_t files;
    uint64_t bytes;
    uint64_t unreadable;
    uint64_t identifiers; /* occurrences */
    uint64_t messages;
    double seconds;
};

/** Adds the records of a census_page. */
th_err result_add(struct result *result, th_self *self, const th_msg *page);

/** Sorts by name. */
void result_sort(struct result *result);

/** The @top most frequent, then the totals, one a line. */
th_err result_print(const struct result *result, th_self *self, uint64_t top);

void result_fini(struct result *result, th_self *self);

#endif
