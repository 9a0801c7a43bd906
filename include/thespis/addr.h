/* addr.h: an address names one actor for ever.
 *
 * A plain value: copy it, compare it, hash it, put it in messages. A system's id is fresh at every
 * start and a slot's generation at every reuse, so an old address is never somebody else's. Thread
 * rules: none, these are pure functions. */
#ifndef THESPIS_ADDR_H
#define THESPIS_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <thespis/error.h>

typedef struct th_addr {
    uint64_t system;     /* the system that minted it; 0 only in "no address" */
    uint32_t slot;       /* where its directory keeps it */
    uint32_t generation; /* which tenant of that slot */
} th_addr;

/* "0123456789abcdef.4294967295.4294967295" and a NUL, rounded up */
#define TH_ADDR_TEXT_SIZE 40

TH_BEGIN_C

/** The address that names nobody. */
static inline th_addr th_addr_none(void)
{
    th_addr none = { 0, 0, 0 };
    return none;
}

static inline bool th_addr_is_none(th_addr a)
{
    return a.system == 0;
}

static inline bool th_addr_equal(th_addr a, th_addr b)
{
    return a.system == b.system && a.slot == b.slot && a.generation == b.generation;
}

/** A total order: negative, zero or positive, as strcmp(). */
TH_API int th_addr_compare(th_addr a, th_addr b);

/** Equal addresses hash equally; all 64 bits are usable. (The finaliser of MurmurHash3, by Austin
 * Appleby.) */
TH_API uint64_t th_addr_hash(th_addr a);

/** Writes "system.slot.generation" (hexadecimal, decimal, decimal) or "none", always terminated
 * when @size > 0. Returns the length it has in full, as snprintf(). */
TH_API size_t th_addr_print(th_addr a, char *text, size_t size);

/** Reads what th_addr_print() wrote. TH_E_PARSE: @text is something else; *@addr_out is untouched.
 */
TH_API TH_NODISCARD th_err th_addr_parse(const char *text, th_addr *addr_out);

TH_END_C
#endif
