/* What may be asked of a router, where there is much of it. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <thespis/config.h>
#include <thespis/router.h>

static th_addr *many; /* distinct, as many as there may be */

static void make_many(void)
{
    many = calloc(TH_ROUTER_ROUTEES_MAX, sizeof(*many));
    cr_assert_not_null(many);
    for (uint32_t i = 0; i < TH_ROUTER_ROUTEES_MAX; i++)
        many[i] = (th_addr){ .system = 7, .slot = i + 1, .generation = 1 + i % 3 };
}

static void free_many(void)
{
    free(many);
}

static const char *fault(uint32_t count)
{
    const th_router_options options = { .routees = many,
                                        .routee_count = count,
                                        .routees_max = TH_ROUTER_ROUTEES_MAX };
    const char *why = "";
    th_err err = th_router_check(&options, &why);

    cr_assert_eq(err, *why ? TH_E_INVALID : TH_OK);
    return why;
}

/* Around each step of what is looked at in one pass. */
Test(router_spec, as_many_guests_as_there_may_be, .init = make_many, .fini = free_many)
{
    for (uint32_t count = 1; count <= TH_ROUTER_ROUTEES_MAX; count *= 2) {
        cr_assert_str_eq(fault(count - 1), "");
        cr_assert_str_eq(fault(count), "");
    }
}

/* Wherever the two stand. */
Test(router_spec, twins_are_found_among_many, .init = make_many, .fini = free_many)
{
    static const uint32_t counts[] = { 2, 3, 100, 2047, 2048, 5000, TH_ROUTER_ROUTEES_MAX };

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        const uint32_t last = counts[i] - 1, places[][2] = {
            { 0, last }, { 0, 1 }, { last / 2, last }, { last - 1, last }
        };

        for (size_t j = 0; j < sizeof(places) / sizeof(places[0]); j++) {
            uint32_t one = places[j][0], other = places[j][1];
            th_addr kept = many[other];

            if (one == other)
                continue;
            many[other] = many[one];
            cr_assert_str_eq(fault(counts[i]), "routees: one is there twice", "%u and %u of %u",
                             one, other, counts[i]);
            many[other] = kept;
        }
    }
}

Test(router_spec, nobodys_address_is_found_among_many, .init = make_many, .fini = free_many)
{
    many[4711] = th_addr_none();
    cr_assert_str_eq(fault(TH_ROUTER_ROUTEES_MAX), "routees: one is no address");
    cr_assert_str_eq(fault(4711), "");
}
