/* Parcels through two routers: one by key over children that fail and die, one to all over guests
 * that come and go. A parcel by key ends once: signed, poison, or a dead letter. Nobody signs a
 * parcel to all twice. */
#include "tests/support/extras/extras.h"

enum { GUESTS = 4, PARCELS_MAX = 512 };

#define PARCEL_FIELDS(F, S) F(S, u32, mood) F(S, u32, number) F(S, bool_, to_all)
TH_MESSAGE(random_router_parcel, PARCEL_FIELDS);
TH_MESSAGE_TYPE(random_router_parcel, PARCEL_FIELDS)

struct random_router_arg {
    struct random_extra_run *run;
    uint32_t number; /* of a guest, from 1; 0: a child */
};
TH_MESSAGE_LOCAL(random_router_arg);
TH_MESSAGE_LOCAL_TYPE(random_router_arg, NULL)

struct parcels {
    th_addr by_key, to_all, guests[GUESTS];
    _Atomic uint32_t sent, signed_for, poisoned, dead;
    _Atomic uint32_t numbers;             /* of parcels to all */
    _Atomic uint8_t signers[PARCELS_MAX]; /* a bit for each guest */
    _Atomic bool twice;
};

static struct parcels *parcels_of(struct random_extra_run *run)
{
    return (struct parcels *)(void *)run->state;
}

static th_err clerk_init(th_self *self, void *state, const th_msg *arg)
{
    *(struct random_router_arg *)state = *random_router_arg_of(arg);
    return TH_OK;
}

static void sign_as_guest(struct parcels *parcels, uint32_t guest,
                          const struct random_router_parcel *parcel)
{
    uint8_t mine = (uint8_t)(1u << guest);

    if (parcel->number < PARCELS_MAX &&
        atomic_fetch_or(&parcels->signers[parcel->number], mine) & mine)
        atomic_store(&parcels->twice, true);
}

static th_err clerk_receive(th_self *self, void *state, const th_msg *msg)
{
    struct random_router_arg *clerk = state;
    struct parcels *parcels = parcels_of(clerk->run);
    const struct random_router_parcel *parcel = random_router_parcel_of(msg);

    if (!parcel)
        return TH_OK;
    if (parcel->to_all) {
        sign_as_guest(parcels, clerk->number, parcel);
        return TH_OK;
    }
    if (parcel->mood % 8 == 1)
        return th_fail(self, TH_E_FAILED, "refused");
    atomic_fetch_add(&parcels->signed_for, 1);
    return parcel->mood % 8 == 2 ? th_exit_because(self, TH_OK, NULL) : TH_OK;
}

static const th_class clerk_class = { .name = "random.router.clerk",
                                      .state_size = sizeof(struct random_router_arg),
                                      .init = clerk_init,
                                      .receive = clerk_receive };

static th_msg *make_arg(th_self *me, struct random_extra_run *run, uint32_t number)
{
    struct random_router_arg *body;
    th_msg *arg = random_router_arg_new(me, &body);

    if (arg)
        *body = (struct random_router_arg){ run, number };
    return arg;
}

static void close(th_self *me, struct random_extra_run *run)
{
    struct parcels *parcels = parcels_of(run);

    if (!th_addr_is_none(parcels->by_key))
        (void)!th_stop(me, parcels->by_key);
    if (!th_addr_is_none(parcels->to_all))
        (void)!th_stop(me, parcels->to_all);
    for (int i = 0; i < GUESTS; i++)
        if (!th_addr_is_none(parcels->guests[i]))
            (void)!th_stop(me, parcels->guests[i]);
}

static th_err make_all(th_self *me, struct random_extra_run *run)
{
    struct parcels *parcels = parcels_of(run);
    th_router_options options = { .routing = TH_ROUTE_BY_KEY,
                                  .klass = &clerk_class,
                                  .children = 3,
                                  .waiting_max = 4,
                                  .key_field = "mood",
                                  .backoff_min_ns = 1000,
                                  .backoff_max_ns = 100000 };
    const th_router_options to_all = { .routing = TH_ROUTE_TO_ALL };
    th_err err = TH_OK;

    for (uint32_t i = 0; i < GUESTS && !err; i++) {
        th_msg *arg = make_arg(me, run, i + 1);

        err = arg ? th_spawn(me, &clerk_class, arg, &parcels->guests[i]) : TH_E_NOMEM;
    }
    options.arg = err ? NULL : make_arg(me, run, 0);
    if (!options.arg)
        return TH_E_NOMEM;
    err = th_router_spawn(me, &options, &parcels->by_key);
    return err ? err : th_router_spawn(me, &to_all, &parcels->to_all);
}

static th_err begin(th_self *me, struct random_extra_run *run)
{
    th_err err = make_all(me, run);

    if (err)
        close(me, run);
    return err;
}

static void post(th_self *player, struct parcels *parcels, uint32_t mood, bool to_all)
{
    struct random_router_parcel parcel = { .mood = mood, .to_all = to_all };
    th_addr to = to_all ? parcels->to_all : parcels->by_key;

    if (to_all)
        parcel.number = atomic_fetch_add(&parcels->numbers, 1);
    if (random_router_parcel_send(player, to, parcel) == TH_OK && !to_all)
        atomic_fetch_add(&parcels->sent, 1);
}

static void act(th_self *player, struct random_extra_run *run)
{
    struct parcels *parcels = parcels_of(run);
    uint64_t pick = th_random(player) >> 16;
    th_addr guest = parcels->guests[(pick >> 8) % GUESTS];

    switch (pick % 8) {
    case 0:
    case 1:
        (void)!th_router_join_send(player, parcels->to_all,
                                   (struct th_router_join){ .routee = guest });
        break;
    case 2:
        (void)!th_router_leave_send(player, parcels->to_all,
                                    (struct th_router_leave){ .routee = guest });
        break;
    case 3: post(player, parcels, 0, true); break;
    case 4:
        (void)!th_router_set_send(player, parcels->by_key,
                                  (struct th_router_set){ .children = 1 + (pick >> 8) % 4 });
        break;
    default: post(player, parcels, (uint32_t)(pick >> 8), false); break;
    }
}

static void hear(th_self *player, struct random_extra_run *run, const th_msg *msg)
{
    if (th_poison_of(msg) && random_router_parcel_of(random_extra_unwrap(msg)))
        atomic_fetch_add(&parcels_of(run)->poisoned, 1);
}

static void letter(struct random_extra_run *run, const th_msg *msg)
{
    struct parcels *parcels = parcels_of(run);
    const struct random_router_parcel *parcel = random_router_parcel_of(random_extra_unwrap(msg));

    if (parcel && !parcel->to_all)
        atomic_fetch_add(th_poison_of(msg) ? &parcels->poisoned : &parcels->dead, 1);
}

static const char *verdict(struct random_extra_run *run, bool is_exact)
{
    struct parcels *parcels = parcels_of(run);
    uint32_t sent = atomic_load(&parcels->sent), ended = atomic_load(&parcels->signed_for);

    ended += atomic_load(&parcels->poisoned) + atomic_load(&parcels->dead);
    if (atomic_load(&parcels->twice))
        return "a parcel to all reached one of them twice";
    if (ended > sent)
        return "a parcel by key ended twice";
    return is_exact && ended < sent ? "a parcel by key was lost" : NULL;
}

const struct random_extra random_extra_router = {
    .name = "router",
    .state_size = sizeof(struct parcels),
    .begin = begin,
    .act = act,
    .hear = hear,
    .letter = letter,
    .close = close,
    .verdict = verdict,
};
