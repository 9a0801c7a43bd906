/* tests/support/json.h: just enough JSON to see that what we write is some, and what is in it. */
#ifndef TESTS_SUPPORT_JSON_H
#define TESTS_SUPPORT_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* Whether @text is one value as RFC 8259 has it, and nothing behind it. */
bool json_is_valid(const char *text);

/* The value at @path, such as "tree.0.class", in valid @text; NULL: there is none. */
const char *json_at(const char *text, const char *path);

/* The number there; fails the test if there is none. */
double json_number(const char *text, const char *path);

/* Whether the value there is the string @is, which needs no escapes. */
bool json_says(const char *text, const char *path, const char *is);

/* Elements or members of the array or object there; 0 if it is neither. */
size_t json_count(const char *text, const char *path);

#endif
