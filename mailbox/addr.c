/* addr.c: what cannot be inline about an address. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <thespis/addr.h>

#define SYSTEM_DIGITS 16

int th_addr_compare(th_addr a, th_addr b)
{
    if (a.system != b.system)
        return a.system < b.system ? -1 : 1;
    if (a.slot != b.slot)
        return a.slot < b.slot ? -1 : 1;
    if (a.generation != b.generation)
        return a.generation < b.generation ? -1 : 1;
    return 0;
}

/* The 64-bit finaliser of MurmurHash3, by Austin Appleby (public domain): each bit of the input
 * flips each bit of the output with a probability close to one half. */
static uint64_t mixed(uint64_t h)
{
    h ^= h >> 33;
    h *= UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 33;
    h *= UINT64_C(0xc4ceb9fe1a85ec53);
    h ^= h >> 33;
    return h;
}

uint64_t th_addr_hash(th_addr a)
{
    /* one-to-one within a system, so a table of one system's actors has no collisions of its own */
    return mixed(mixed(a.system) ^ ((uint64_t)a.slot << 32 | a.generation));
}

size_t th_addr_print(th_addr a, char *text, size_t size)
{
    int length;

    if (!text)
        size = 0;
    if (th_addr_is_none(a))
        length = snprintf(text, size, "none");
    else
        length = snprintf(text, size, "%016" PRIx64 ".%" PRIu32 ".%" PRIu32, a.system, a.slot,
                          a.generation);
    return (size_t)length;
}

/* Exactly 16 lower-case digits, as printed: one address has one text. */
static const char *system_read(const char *text, uint64_t *system_out)
{
    uint64_t system = 0;
    int i;

    for (i = 0; i < SYSTEM_DIGITS; i++, text++) {
        if (*text >= '0' && *text <= '9')
            system = system << 4 | (uint64_t)(*text - '0');
        else if (*text >= 'a' && *text <= 'f')
            system = system << 4 | (uint64_t)(*text - 'a' + 10);
        else
            return NULL;
    }
    *system_out = system;
    return text;
}

/* Decimal without sign or leading zeros. */
static const char *number_read(const char *text, uint32_t *number_out)
{
    uint64_t number = 0;
    const char *first = text;

    for (; *text >= '0' && *text <= '9'; text++) {
        number = number * 10 + (uint64_t)(*text - '0');
        if (number > UINT32_MAX)
            return NULL;
    }
    if (text == first || (*first == '0' && text - first > 1))
        return NULL;
    *number_out = (uint32_t)number;
    return text;
}

th_err th_addr_parse(const char *text, th_addr *addr_out)
{
    th_addr addr;

    if (!text || !addr_out)
        return TH_E_INVALID;
    if (strcmp(text, "none") == 0) {
        *addr_out = th_addr_none();
        return TH_OK;
    }
    text = system_read(text, &addr.system);
    if (!text || addr.system == 0 || *text++ != '.')
        return TH_E_PARSE;
    text = number_read(text, &addr.slot);
    if (!text || *text++ != '.')
        return TH_E_PARSE;
    text = number_read(text, &addr.generation);
    if (!text || *text != '\0')
        return TH_E_PARSE;
    *addr_out = addr;
    return TH_OK;
}
