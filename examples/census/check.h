/* check.h: the same count by coreutils, compared name by name. */
#ifndef CENSUS_CHECK_H
#define CENSUS_CHECK_H

#include "result.h"

enum check_verdict { CHECK_EQUAL, CHECK_DIFFERS, CHECK_IMPOSSIBLE };

/** Recounts @root with find, grep, sort, uniq and awk, and says how many names were compared.
 * @result must be sorted. */
enum check_verdict check(const struct result *result, th_self *self, const char *root);

#endif
