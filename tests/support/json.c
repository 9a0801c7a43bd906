#include "json.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { NESTING_MAX = 2000 };

static const char *skip_space(const char *at)
{
    while (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')
        at++;
    return at;
}

/* Each returns what is behind, or NULL: it is none. */

static const char *skip_string(const char *at)
{
    if (*at++ != '"')
        return NULL;
    for (; *at != '"'; at++) {
        if ((unsigned char)*at < 0x20)
            return NULL;
        if (*at != '\\')
            continue;
        if (*++at == 'u') {
            for (int i = 1; i <= 4; i++)
                if (!isxdigit((unsigned char)at[i]))
                    return NULL;
            at += 4;
        } else if (!*at || !strchr("\"\\/bfnrt", *at)) {
            return NULL;
        }
    }
    return at + 1;
}

static const char *skip_digits(const char *at)
{
    if (!isdigit((unsigned char)*at))
        return NULL;
    while (isdigit((unsigned char)*at))
        at++;
    return at;
}

static const char *skip_number(const char *at)
{
    at += *at == '-';
    at = *at == '0' ? at + 1 : skip_digits(at);
    if (at && *at == '.')
        at = skip_digits(at + 1);
    if (at && (*at == 'e' || *at == 'E'))
        at = skip_digits(at + 1 + (at[1] == '+' || at[1] == '-'));
    return at;
}

static const char *skip_value(const char *at, int depth);

static const char *skip_members(const char *at, char end, int depth)
{
    at = skip_space(at);
    if (*at == end)
        return at + 1;
    for (;;) {
        if (end == '}') {
            at = skip_string(skip_space(at));
            at = at ? skip_space(at) : NULL;
            if (!at || *at++ != ':')
                return NULL;
        }
        at = skip_value(skip_space(at), depth + 1);
        at = at ? skip_space(at) : NULL;
        if (!at || (*at != ',' && *at != end))
            return NULL;
        if (*at++ == end)
            return at;
    }
}

static const char *skip_value(const char *at, int depth)
{
    static const char *const words[] = { "true", "false", "null" };

    if (depth > NESTING_MAX)
        return NULL;
    if (*at == '{' || *at == '[')
        return skip_members(at + 1, *at == '{' ? '}' : ']', depth);
    if (*at == '"')
        return skip_string(at);
    for (int i = 0; i < 3; i++)
        if (strncmp(at, words[i], strlen(words[i])) == 0)
            return at + strlen(words[i]);
    return skip_number(at);
}

bool json_is_valid(const char *text)
{
    const char *end = skip_value(skip_space(text), 0);

    return end && *skip_space(end) == '\0';
}

/* The member of the object, or the element of the array, at @at that @name names. */
static const char *member(const char *at, const char *name, size_t length)
{
    bool is_object = *at == '{';
    size_t nth = is_object ? 0 : strtoul(name, NULL, 10);

    if (*at != '{' && *at != '[')
        return NULL;
    for (at = skip_space(at + 1); *at && *at != '}' && *at != ']'; at = skip_space(at)) {
        const char *key = at;

        if (is_object)
            at = skip_space(skip_space(skip_string(at)) + 1);
        if (is_object ? strncmp(key + 1, name, length) == 0 && key[length + 1] == '"' : nth-- == 0)
            return at;
        at = skip_space(skip_value(at, 0));
        at += *at == ',';
    }
    return NULL;
}

const char *json_at(const char *text, const char *path)
{
    const char *at = skip_space(text);

    while (at && *path) {
        size_t length = strcspn(path, ".");

        at = member(at, path, length);
        path += length + (path[length] == '.');
    }
    return at;
}

double json_number(const char *text, const char *path)
{
    const char *at = json_at(text, path);

    cr_assert(at && (*at == '-' || isdigit((unsigned char)*at)), "no number at %s", path);
    return strtod(at, NULL);
}

bool json_says(const char *text, const char *path, const char *is)
{
    const char *at = json_at(text, path);

    return at && *at == '"' && strncmp(at + 1, is, strlen(is)) == 0 && at[strlen(is) + 1] == '"';
}

size_t json_count(const char *text, const char *path)
{
    const char *at = json_at(text, path);
    size_t count = 0;

    if (!at || (*at != '{' && *at != '['))
        return 0;
    for (at = skip_space(at + 1); *at != '}' && *at != ']'; at = skip_space(at)) {
        const char *colon = *at == '"' ? skip_space(skip_string(at)) : at;

        at = skip_value(*colon == ':' ? skip_space(colon + 1) : at, 0);
        at = skip_space(at);
        at += *at == ',';
        count++;
    }
    return count;
}
