/* tests of mailbox/inbox.h
 *
 * Past 500 lines: one word, each state of it by hand, by chance, and by threads. */
#include "mailroom.h"

#include <sched.h>
#include <stdatomic.h>

#include "mailbox/inbox.h"

/* ---- one thread: every state and every way out of it ---- */

static struct thi_inbox inbox_in(uintptr_t state)
{
    struct thi_inbox inbox;

    thi_inbox_init(&inbox, state);
    return inbox;
}

Test(inbox, wakes_a_sleeping_owner_exactly_once)
{
    struct thi_inbox inbox = inbox_in(THI_INBOX_ASLEEP);
    th_msg first = { 0 }, second = { 0 };

    cr_assert_eq(thi_inbox_push(&inbox, &first, false), THI_PUSH_WOKE);
    cr_assert_eq(thi_inbox_push(&inbox, &second, false), THI_PUSH_QUEUED);
}

Test(inbox, does_not_wake_an_owner_that_is_awake)
{
    struct thi_inbox inbox = inbox_in(THI_INBOX_EMPTY);
    th_msg msg = { 0 };

    cr_assert_eq(thi_inbox_push(&inbox, &msg, false), THI_PUSH_QUEUED);
    cr_assert_not(thi_inbox_wake(&inbox));
}

Test(inbox, refuses_mail_when_closed_or_an_alias)
{
    struct thi_inbox closed = inbox_in(THI_INBOX_CLOSED);
    struct thi_inbox alias = inbox_in(THI_INBOX_ALIAS);
    th_msg msg = { 0 };

    cr_assert_eq(thi_inbox_push(&closed, &msg, false), THI_PUSH_CLOSED);
    cr_assert_eq(thi_inbox_push(&closed, &msg, true), THI_PUSH_CLOSED);
    cr_assert_eq(thi_inbox_push(&alias, &msg, false), THI_PUSH_ALIAS);
    cr_assert_eq(thi_inbox_push(&alias, &msg, true), THI_PUSH_ALIAS);
    cr_assert_not(thi_inbox_wake(&closed));
    cr_assert_not(thi_inbox_wake(&alias));
    cr_assert_not(thi_inbox_has_mail(&closed));
    cr_assert_not(thi_inbox_has_mail(&alias));
    cr_assert_not(thi_inbox_has_urgent(&closed));
    cr_assert_not(thi_inbox_has_urgent(&alias));
    cr_assert_eq(thi_inbox_close_owner(&alias), THI_INBOX_ALIAS);
    cr_assert_eq(thi_inbox_push(&alias, &msg, false), THI_PUSH_CLOSED);
}

Test(inbox, sleeps_only_without_mail)
{
    struct thi_inbox inbox = inbox_in(THI_INBOX_EMPTY);
    th_msg msg = { 0 };

    cr_assert_eq(thi_inbox_push(&inbox, &msg, false), THI_PUSH_QUEUED);
    cr_assert_not(thi_inbox_sleep_owner(&inbox));
    cr_assert_eq(thi_inbox_take_owner(&inbox), (uintptr_t)&msg);
    cr_assert(thi_inbox_sleep_owner(&inbox));
    cr_assert_eq(thi_inbox_push(&inbox, &msg, false), THI_PUSH_WOKE);
}

Test(inbox, can_be_woken_without_mail_once)
{
    struct thi_inbox inbox = inbox_in(THI_INBOX_ASLEEP);
    th_msg msg = { 0 };

    cr_assert(thi_inbox_wake(&inbox));
    cr_assert_not(thi_inbox_wake(&inbox));
    cr_assert_eq(thi_inbox_push(&inbox, &msg, false), THI_PUSH_QUEUED);
}

Test(inbox, tells_its_closer_whether_it_slept)
{
    struct thi_inbox asleep = inbox_in(THI_INBOX_ASLEEP);
    struct thi_inbox awake = inbox_in(THI_INBOX_EMPTY);
    struct thi_inbox mail = inbox_in(THI_INBOX_EMPTY);
    th_msg msg = { 0 };

    cr_assert_eq(thi_inbox_push(&mail, &msg, true), THI_PUSH_QUEUED);
    cr_assert_eq(thi_inbox_close_owner(&asleep), THI_INBOX_ASLEEP);
    cr_assert_eq(thi_inbox_close_owner(&awake), THI_INBOX_EMPTY);
    cr_assert_eq(thi_inbox_close_owner(&mail), (uintptr_t)&msg | THI_INBOX_URGENT);
    cr_assert_eq(thi_inbox_push(&mail, &msg, true), THI_PUSH_CLOSED);
}

Test(inbox, shows_mail_and_urgent_mail)
{
    struct thi_inbox inbox = inbox_in(THI_INBOX_ASLEEP);
    th_msg plain = { 0 }, urgent = { 0 }, later = { 0 };

    cr_assert_not(thi_inbox_has_mail(&inbox));
    cr_assert_not(thi_inbox_has_urgent(&inbox));
    cr_assert_eq(thi_inbox_push(&inbox, &plain, false), THI_PUSH_WOKE);
    cr_assert(thi_inbox_has_mail(&inbox));
    cr_assert_not(thi_inbox_has_urgent(&inbox));
    cr_assert_eq(thi_inbox_push(&inbox, &urgent, true), THI_PUSH_QUEUED);
    cr_assert_eq(thi_inbox_push(&inbox, &later, false), THI_PUSH_QUEUED);
    cr_assert(thi_inbox_has_urgent(&inbox), "forgotten under later mail");
    thi_inbox_take_owner(&inbox);
    cr_assert_not(thi_inbox_has_mail(&inbox));
    cr_assert_not(thi_inbox_has_urgent(&inbox));
}

Test(inbox, urgent_mail_wakes_too)
{
    struct thi_inbox inbox = inbox_in(THI_INBOX_ASLEEP);
    th_msg msg = { 0 }, *urgent, *tail;

    cr_assert_eq(thi_inbox_push(&inbox, &msg, true), THI_PUSH_WOKE);
    cr_assert_null(thi_inbox_reverse(thi_inbox_take_owner(&inbox), &urgent, &tail));
    cr_assert_eq(urgent, &msg);
    cr_assert_null(urgent->thi_next);
    cr_assert_null(tail);
}

Test(inbox, shows_a_lone_plain_message_and_nothing_else)
{
    static const uintptr_t states[] = { THI_INBOX_EMPTY, THI_INBOX_ASLEEP, THI_INBOX_CLOSED,
                                        THI_INBOX_ALIAS };
    struct thi_inbox inbox = inbox_in(THI_INBOX_EMPTY);
    struct thi_inbox urgent = inbox_in(THI_INBOX_EMPTY);
    th_msg first = { 0 }, second = { 0 }, third = { 0 };
    int i;

    for (i = 0; i < 4; i++) {
        struct thi_inbox none = inbox_in(states[i]);

        cr_assert_null(thi_inbox_only_owner(&none));
    }
    cr_assert_eq(thi_inbox_push(&inbox, &first, false), THI_PUSH_QUEUED);
    cr_assert_eq(thi_inbox_only_owner(&inbox), &first);
    cr_assert(thi_inbox_has_mail(&inbox), "it was taken");
    cr_assert_eq(thi_inbox_push(&inbox, &second, false), THI_PUSH_QUEUED);
    cr_assert_null(thi_inbox_only_owner(&inbox));
    cr_assert_eq(thi_inbox_push(&urgent, &third, true), THI_PUSH_QUEUED);
    cr_assert_null(thi_inbox_only_owner(&urgent));
}

Test(inbox, sleeps_after_a_lone_message_unless_more_came)
{
    struct thi_inbox inbox = inbox_in(THI_INBOX_ASLEEP);
    th_msg first = { 0 }, second = { 0 }, *urgent, *tail;

    cr_assert_eq(thi_inbox_push(&inbox, &first, false), THI_PUSH_WOKE);
    cr_assert(thi_inbox_sleep_after_owner(&inbox, thi_inbox_only_owner(&inbox)));
    cr_assert_not(thi_inbox_has_mail(&inbox), "it was not taken");
    cr_assert_eq(thi_inbox_push(&inbox, &first, false), THI_PUSH_WOKE, "it does not sleep");
    cr_assert_eq(thi_inbox_only_owner(&inbox), &first);
    cr_assert_eq(thi_inbox_push(&inbox, &second, false), THI_PUSH_QUEUED);
    cr_assert_not(thi_inbox_sleep_after_owner(&inbox, &first));
    cr_assert_eq(thi_inbox_reverse(thi_inbox_take_owner(&inbox), &urgent, &tail), &first);
    cr_assert_eq(tail, &second);
}

Test(inbox, a_state_reverses_to_nothing)
{
    static const uintptr_t states[] = { THI_INBOX_EMPTY, THI_INBOX_ASLEEP, THI_INBOX_CLOSED,
                                        THI_INBOX_ALIAS };
    th_msg other, *urgent, *tail;
    int i;

    for (i = 0; i < 4; i++) {
        urgent = tail = &other;
        cr_assert_null(thi_inbox_reverse(states[i], &urgent, &tail));
        cr_assert_null(urgent);
        cr_assert_null(tail);
    }
}

/* Each of the 2^n ways to mix n messages, n up to 8: both chains in order, complete, ended, and
 * the tail the last of the plain. */
Test(inbox, reverses_every_mixture_into_two_orders)
{
    unsigned count, mask, i;

    for (count = 1; count <= 8; count++) {
        for (mask = 0; mask < 1u << count; mask++) {
            struct thi_inbox inbox = inbox_in(THI_INBOX_EMPTY);
            th_msg msgs[8] = { 0 };
            th_msg *plain, *urgent, *tail, *last = NULL;

            for (i = 0; i < count; i++)
                thi_inbox_push(&inbox, &msgs[i], mask >> i & 1);
            plain = thi_inbox_reverse(thi_inbox_take_owner(&inbox), &urgent, &tail);
            for (i = 0; i < count; i++) {
                if (mask >> i & 1) {
                    cr_assert_eq(urgent, &msgs[i]);
                    urgent = urgent->thi_next;
                } else {
                    cr_assert_eq(plain, &msgs[i]);
                    last = plain;
                    plain = plain->thi_next;
                }
            }
            cr_assert_null(plain);
            cr_assert_null(urgent);
            cr_assert_eq(tail, last);
        }
    }
}

/* ---- one thread: random operations against a model ---- */

#define MODEL_MSGS 64

struct model {
    bool asleep;
    int waiting[MODEL_MSGS]; /* indices, oldest first; negative - 1: urgent */
    int count;
};

static void model_take(struct model *model, struct thi_inbox *inbox, th_msg *msgs, bool *in_use)
{
    th_msg *urgent, *tail, *plain;
    int i;

    plain = thi_inbox_reverse(thi_inbox_take_owner(inbox), &urgent, &tail);
    for (i = 0; i < model->count; i++) {
        int at = model->waiting[i];

        if (at < 0) {
            at = -at - 1;
            cr_assert_eq(urgent, &msgs[at]);
            urgent = urgent->thi_next;
        } else {
            cr_assert_eq(plain, &msgs[at]);
            plain = plain->thi_next;
        }
        in_use[at] = false;
    }
    cr_assert(!plain && !urgent);
    model->count = 0;
}

Test(inbox, random_operations_agree_with_a_model, .timeout = 60)
{
    struct thi_inbox inbox = inbox_in(THI_INBOX_ASLEEP);
    struct model model = { true, { 0 }, 0 };
    static th_msg msgs[MODEL_MSGS];
    bool in_use[MODEL_MSGS] = { false };
    uint64_t state = 5;
    int i;

    for (i = 0; i < 1000000; i++) {
        uint64_t r = mailroom_random(&state);
        int at = (int)(r >> 8) & (MODEL_MSGS - 1);
        bool urgent = (r >> 20) % 8 == 0;

        switch (r % 8) {
        case 0: /* the owner's verbs, only while it is awake */
            if (!model.asleep)
                model_take(&model, &inbox, msgs, in_use);
            break;
        case 1:
            if (!model.asleep) {
                cr_assert_eq(thi_inbox_sleep_owner(&inbox), model.count == 0);
                model.asleep = model.count == 0;
            }
            break;
        case 2:
            cr_assert_eq(thi_inbox_wake(&inbox), model.asleep);
            model.asleep = false;
            break;
        default:
            if (in_use[at])
                break;
            in_use[at] = true;
            cr_assert_eq(thi_inbox_push(&inbox, &msgs[at], urgent),
                         model.asleep ? THI_PUSH_WOKE : THI_PUSH_QUEUED);
            model.asleep = false;
            model.waiting[model.count++] = urgent ? -at - 1 : at;
            break;
        }
        cr_assert_eq(thi_inbox_has_mail(&inbox), model.count > 0);
    }
}

/* ---- many threads ---- */

/* An actor without a scheduler: whoever wakes it runs it, on the spot, until it sleeps. Everything
 * below `inbox` is the actor's own and plain, so ThreadSanitizer sees any pair of runs that the
 * inbox does not order, and any message read before it was published. */
struct actor {
    struct thi_inbox inbox;

    int running; /* 1 while it runs: runs exclude each other */
    uint64_t handled;
    uint64_t urgent_handled;
    uint64_t runs;
    uint32_t expected[4];        /* the next plain message of each producer */
    uint32_t expected_urgent[4]; /* and the next urgent one */
    bool closed;
};

/* What the tests write into envelopes: thi_from.slot the producer, .generation its count. */
struct producer {
    struct actor *actor;
    uint32_t who;
    uint32_t count;
    uint32_t urgent_every; /* 0: never */
    bool wakes_too;
    th_msg *msgs;
    uint64_t accepted;
    uint64_t woke;
};

static void handle(struct actor *actor, th_msg *chain, bool urgent)
{
    th_msg *next;

    for (; chain; chain = next) {
        uint32_t *expected = urgent ? actor->expected_urgent : actor->expected;
        uint32_t who = chain->thi_from.slot;

        next = chain->thi_next;
        /* in order, and each once; gaps are those of the other lane */
        cr_assert_geq(chain->thi_from.generation, expected[who]);
        expected[who] = chain->thi_from.generation + 1;
        actor->handled++;
        actor->urgent_handled += urgent;
        chain->thi_to.slot++;
    }
}

/* As handle(), of one that must not be taken apart: others may be linking to it. */
static void handle_where_it_lies(struct actor *actor, th_msg *only)
{
    uint32_t who = only->thi_from.slot;

    cr_assert_geq(only->thi_from.generation, actor->expected[who]);
    actor->expected[who] = only->thi_from.generation + 1;
    actor->handled++;
    only->thi_to.slot++;
}

static void run(struct actor *actor)
{
    th_msg *plain, *urgent, *tail, *only;

    cr_assert_eq(actor->running++, 0, "two runs at once");
    actor->runs++;
    only = thi_inbox_only_owner(&actor->inbox);
    if (only) {
        handle_where_it_lies(actor, only);
        actor->running--;
        if (thi_inbox_sleep_after_owner(&actor->inbox, only))
            return;
        actor->running++;
        /* it is the oldest of what is there now, and handled already */
        plain = thi_inbox_reverse(thi_inbox_take_owner(&actor->inbox), &urgent, &tail);
        cr_assert_eq(plain, only);
        handle(actor, urgent, true);
        handle(actor, plain->thi_next, false);
    }
    for (;;) {
        plain = thi_inbox_reverse(thi_inbox_take_owner(&actor->inbox), &urgent, &tail);
        handle(actor, urgent, true);
        handle(actor, plain, false);
        if (thi_inbox_has_mail(&actor->inbox))
            continue;
        actor->running--;
        if (thi_inbox_sleep_owner(&actor->inbox))
            return;
        actor->running++;
    }
}

static void *produce_and_run(void *context)
{
    struct producer *producer = context;
    uint32_t i;

    for (i = 0; i < producer->count; i++) {
        th_msg *msg = &producer->msgs[i];
        bool urgent = producer->urgent_every && i % producer->urgent_every == 0;

        msg->thi_from.slot = producer->who;
        msg->thi_from.generation = i;
        switch (thi_inbox_push(&producer->actor->inbox, msg, urgent)) {
        case THI_PUSH_WOKE:
            producer->woke++;
            producer->accepted++;
            run(producer->actor);
            break;
        case THI_PUSH_QUEUED: producer->accepted++; break;
        case THI_PUSH_CLOSED:
        case THI_PUSH_ALIAS: cr_assert_fail("nobody closed it");
        }
        if (producer->wakes_too && i % 3 == 0 && thi_inbox_wake(&producer->actor->inbox)) {
            producer->woke++;
            run(producer->actor);
        }
    }
    return NULL;
}

static void stress(int threads, uint32_t count, uint32_t urgent_every, bool wakes_too)
{
    struct actor actor = { 0 };
    struct producer producers[4];
    uint64_t accepted = 0, woke = 0;
    uint32_t i;
    int t;

    thi_inbox_init(&actor.inbox, THI_INBOX_ASLEEP);
    for (t = 0; t < threads; t++) {
        th_msg *msgs = calloc(count, sizeof(th_msg));

        cr_assert_not_null(msgs);
        producers[t] = (struct producer){ .actor = &actor,
                                          .who = (uint32_t)t,
                                          .count = count,
                                          .urgent_every = urgent_every,
                                          .wakes_too = wakes_too,
                                          .msgs = msgs };
    }
    mailroom_threads(threads, produce_and_run, producers, sizeof(producers[0]));
    for (t = 0; t < threads; t++) {
        accepted += producers[t].accepted;
        woke += producers[t].woke;
        for (i = 0; i < count; i++)
            cr_assert_eq(producers[t].msgs[i].thi_to.slot, 1, "not exactly once");
        free(producers[t].msgs);
    }
    cr_assert_eq(accepted, (uint64_t)threads * count);
    cr_assert_eq(actor.handled, accepted);
    cr_assert_eq(actor.runs, woke, "a wake-up was lost or doubled");
    cr_assert_eq(actor.running, 0);
    cr_assert_not(thi_inbox_has_mail(&actor.inbox), "mail without an owner");
    cr_assert_eq(actor.urgent_handled,
                 urgent_every ? (uint64_t)threads * ((count + urgent_every - 1) / urgent_every)
                              : 0);
}

Test(inbox, two_threads_each_message_once_and_in_order, .timeout = 120)
{
    stress(2, 200000, 0, false);
}

Test(inbox, four_threads_each_message_once_and_in_order, .timeout = 120)
{
    stress(4, 100000, 0, false);
}

Test(inbox, four_threads_with_urgent_mail_and_bare_wakes, .timeout = 120)
{
    stress(4, 100000, 7, true);
}

/* A consumer of its own that naps on a flag: the shape of a worker and an outsider. */
struct napper {
    struct actor actor;
    _Atomic int queued; /* how often it was made to run */
    uint64_t total;
};

struct outsider {
    struct napper *napper;
    struct producer producer;
};

static void *produce_for_napper(void *context)
{
    struct outsider *outsider = context;
    uint32_t i;

    for (i = 0; i < outsider->producer.count; i++) {
        th_msg *msg = &outsider->producer.msgs[i];

        msg->thi_from.slot = outsider->producer.who;
        msg->thi_from.generation = i;
        if (thi_inbox_push(&outsider->napper->actor.inbox, msg, false) == THI_PUSH_WOKE) {
            /* release: hands on what the push acquired, as a run queue does */
            atomic_fetch_add_explicit(&outsider->napper->queued, 1, memory_order_acq_rel);
        }
    }
    return NULL;
}

static void *nap_and_run(void *context)
{
    struct napper *napper = *(struct napper **)context;

    while (napper->actor.handled < napper->total) {
        if (atomic_load_explicit(&napper->queued, memory_order_relaxed) == 0) {
            sched_yield();
            continue;
        }
        cr_assert_eq(atomic_fetch_sub_explicit(&napper->queued, 1, memory_order_acq_rel), 1,
                     "queued twice");
        run(&napper->actor);
    }
    return NULL;
}

struct part {
    void *(*body)(void *);
    void *context;
};

static void *play(void *context)
{
    struct part *part = context;

    return part->body(part->context);
}

static void stress_napper(int producers, uint32_t count)
{
    struct napper napper = { .total = (uint64_t)producers * count };
    struct napper *self = &napper;
    struct outsider outsiders[3];
    struct part parts[4];
    int t;

    thi_inbox_init(&napper.actor.inbox, THI_INBOX_ASLEEP);
    atomic_init(&napper.queued, 0);
    for (t = 0; t < producers; t++) {
        outsiders[t] = (struct outsider){ &napper, { .who = (uint32_t)t, .count = count } };
        outsiders[t].producer.msgs = calloc(count, sizeof(th_msg));
        cr_assert_not_null(outsiders[t].producer.msgs);
        parts[t] = (struct part){ produce_for_napper, &outsiders[t] };
    }
    parts[producers] = (struct part){ nap_and_run, &self };
    mailroom_threads(producers + 1, play, parts, sizeof(parts[0]));
    cr_assert_eq(napper.actor.handled, napper.total);
    for (t = 0; t < producers; t++)
        free(outsiders[t].producer.msgs);
}

Test(inbox, a_producer_and_a_napping_owner, .timeout = 120)
{
    stress_napper(1, 200000);
}

Test(inbox, three_producers_and_a_napping_owner, .timeout = 120)
{
    stress_napper(3, 100000);
}

/* ---- closing among pushes: accepted is taken, refused is not ---- */

struct closer {
    struct thi_inbox inbox;
    _Atomic bool go;
    bool last_words; /* plain: written before the close, read after CLOSED */
};

struct late_producer {
    struct closer *closer;
    th_msg msgs[16];
    uint64_t accepted;
};

static void *push_until_closed(void *context)
{
    struct late_producer *producer = context;
    int i;

    /* acquire: the round's set-up, by the release in the test */
    while (!atomic_load_explicit(&producer->closer->go, memory_order_acquire))
        sched_yield();
    for (i = 0; i < 16; i++) {
        if (thi_inbox_push(&producer->closer->inbox, &producer->msgs[i], i % 4 == 0) ==
            THI_PUSH_CLOSED) {
            cr_assert(producer->closer->last_words);
            break;
        }
        producer->accepted++;
    }
    return NULL;
}

static uint64_t count_mail(uintptr_t taken)
{
    th_msg *urgent, *tail, *plain = thi_inbox_reverse(taken, &urgent, &tail);
    uint64_t count = 0;

    for (; plain; plain = plain->thi_next)
        count++;
    for (; urgent; urgent = urgent->thi_next)
        count++;
    return count;
}

Test(inbox, a_close_takes_all_that_was_accepted, .timeout = 120)
{
    int round, t;

    for (round = 0; round < 1000; round++) {
        struct closer closer = { .last_words = false };
        struct late_producer producers[2] = { { .closer = &closer }, { .closer = &closer } };
        pthread_t threads[2];
        uint64_t taken = 0;

        thi_inbox_init(&closer.inbox, THI_INBOX_EMPTY);
        atomic_init(&closer.go, false);
        for (t = 0; t < 2; t++)
            cr_assert_eq(pthread_create(&threads[t], NULL, push_until_closed, &producers[t]), 0);
        atomic_store_explicit(&closer.go, true, memory_order_release);
        /* half the rounds close in the middle of the pushes, the others where it falls */
        while (round % 2 && !thi_inbox_has_mail(&closer.inbox))
            continue;
        for (t = 0; t < round / 2 % 8; t++)
            taken += count_mail(thi_inbox_take_owner(&closer.inbox));
        closer.last_words = true;
        taken += count_mail(thi_inbox_close_owner(&closer.inbox));
        for (t = 0; t < 2; t++)
            cr_assert_eq(pthread_join(threads[t], NULL), 0);
        cr_assert_eq(taken, producers[0].accepted + producers[1].accepted);
        cr_assert_not(thi_inbox_has_mail(&closer.inbox));
    }
}
