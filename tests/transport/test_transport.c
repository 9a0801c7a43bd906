/* Two systems in one process, over real sockets: what an actor can do with one of another. */
#include "tests/support/pair.h"
#include "tests/support/talk.h"

/* ---- those who are far ---- */

/* Answers a word with itself, a number with the next one. "stop": exits. */
static th_err echo_receive(th_self *self, void *state, const th_msg *msg)
{
    if (talk_is(msg, "stop"))
        return th_exit(self);
    if (talk_number_of(msg))
        return talk_count(self, th_msg_sender(msg), talk_number_of(msg)->value + 1);
    return talk_word_of(msg) ? th_forward(self, th_msg_sender(msg), msg) : TH_OK;
}

static const th_class echo_class = { .name = "echo", .receive = echo_receive };

static th_addr make_echo(struct pair *pair)
{
    th_spawn_options options = { .klass = &echo_class, .global_name = "echo" };
    th_addr echo;

    must(th_create(pair->far.me, &options, TALK_PATIENCE, &echo, NULL));
    return echo;
}

/* ---- to and fro ---- */

Test(transport, an_actor_is_found_by_name_and_answers)
{
    struct pair pair = pair_open();
    th_addr echo = make_echo(&pair), found = pair_find(pair.near.me, pair.admin, "echo");
    th_msg *answer;

    cr_assert(th_addr_equal(echo, found), "an address is the same everywhere");
    answer = talk_ask(pair.near.me, found, "hello");
    cr_assert(talk_is(answer, "hello"));
    th_msg_destroy(pair.near.me, answer);
    cr_assert(th_addr_is_none(pair_find(pair.near.me, pair.admin, "nobody")));
    pair_close(&pair);
}

/* Whoever was dialled writes as well as who has dialled. */
Test(transport, one_link_carries_both_directions)
{
    struct pair pair = pair_open();
    th_addr me = th_self_addr(pair.near.me);

    must(talk_say(pair.far.me, me, "from far"));
    talk_hear(pair.near.me, "from far");
    must(talk_say(pair.near.me, th_self_addr(pair.far.me), "from near"));
    talk_hear(pair.far.me, "from near");
    cr_assert_eq(pair_link(&pair.near).connects, 1);
    cr_assert_eq(pair_link(&pair.far).connects, 1);
    pair_close(&pair);
}

enum { MANY = 20000 };

Test(transport, messages_arrive_once_and_in_order, .timeout = 120)
{
    struct pair pair = pair_open();
    th_addr far = th_self_addr(pair.far.me);
    int64_t next = 0;

    for (int64_t sent = 0; next < MANY;) {
        th_msg *msg;

        /* an endpoint is not held but refused */
        if (sent < MANY && talk_count(pair.near.me, far, sent) == TH_OK) {
            sent++;
            continue;
        }
        must(th_listen(pair.far.me, TALK_PATIENCE, &msg));
        cr_assert_eq(talk_number_of(msg)->value, next);
        next++;
        th_msg_destroy(pair.far.me, msg);
    }
    talk_hear_nothing(pair.far.me);
    pair_close(&pair);
}

/* ---- what cannot be read ---- */

#define SECRET_FIELDS(F, S) F(S, i64, value) F(S, chars, text, 8)
TH_MESSAGE(secret, SECRET_FIELDS);
TH_MESSAGE_TYPE(secret, SECRET_FIELDS)

static th_msg *hear_poison(th_self *me)
{
    th_msg *msg;

    must(th_listen(me, TALK_PATIENCE, &msg));
    cr_assert_not_null(th_poison_of(msg), "%s", th_msg_type(msg)->name);
    cr_assert_eq(th_poison_of(msg)->err, TH_E_UNREADABLE);
    return msg;
}

Test(transport, a_type_that_is_not_known_there_comes_back_as_poison)
{
    struct pair pair = pair_open();
    th_addr echo = make_echo(&pair);
    th_msg *msg;

    for (int i = 0; i < 3; i++) { /* the first in another way than the rest */
        must(secret_send(pair.near.me, echo, (struct secret){ .value = 42 + i, .text = "psst" }));
        msg = hear_poison(pair.near.me);
        cr_assert(th_addr_equal(th_msg_sender(msg), echo));
        cr_assert_eq(secret_of(th_poison_of(msg)->message)->value, 42 + i);
        cr_assert_not_null(strstr(th_poison_of(msg)->details->data, "secret"), "%s",
                           th_poison_of(msg)->details->data);
        th_msg_destroy(pair.near.me, msg);
    }
    must(th_type_register(pair.far.sys, &secret_type)); /* it is found later */
    must(secret_send(pair.near.me, echo, (struct secret){ .value = 1 }));
    talk_expect(pair.near.me, echo, "still there?", "still there?");
    pair_close(&pair);
}

struct hermit {
    int64_t value;
};
TH_MESSAGE_LOCAL(hermit);
TH_MESSAGE_LOCAL_TYPE(hermit, NULL)

Test(transport, a_type_without_a_table_comes_back_as_poison)
{
    struct pair pair = pair_open();
    th_msg *msg;

    must(th_send(pair.near.me, make_echo(&pair), th_msg_create(pair.near.me, &hermit_type)));
    msg = hear_poison(pair.near.me);
    cr_assert_not_null(strstr(th_poison_of(msg)->details->data, "hermit"));
    th_msg_destroy(pair.near.me, msg);
    pair_close(&pair);
}

/* ---- ends ---- */

static void hear_gone(th_self *me, th_addr actor, th_exit_reason reason)
{
    th_msg *msg;

    must(th_listen(me, TALK_PATIENCE, &msg));
    cr_assert_not_null(th_actor_gone_of(msg), "%s", th_msg_type(msg)->name);
    cr_assert(th_addr_equal(th_actor_gone_of(msg)->actor, actor));
    cr_assert_eq(th_actor_gone_of(msg)->reason, reason, "%u", th_actor_gone_of(msg)->reason);
    th_msg_destroy(me, msg);
}

Test(transport, who_watches_hears_of_an_end_there)
{
    struct pair pair = pair_open();
    th_addr echo = make_echo(&pair);

    must(th_watch_actor(pair.near.me, echo));
    must(talk_say(pair.near.me, echo, "stop"));
    hear_gone(pair.near.me, echo, TH_EXIT_NORMAL);
    must(th_watch_actor(pair.near.me, echo)); /* it is gone already */
    hear_gone(pair.near.me, echo, TH_EXIT_GONE);
    pair_close(&pair);
}

Test(transport, who_watches_hears_of_the_end_of_the_system)
{
    struct pair pair = pair_open();
    th_addr echo = make_echo(&pair);

    must(th_watch_actor(pair.near.me, echo));
    talk_expect(pair.near.me, echo, "there?", "there?"); /* so the watch is, too */
    test_system_end(&pair.far);
    hear_gone(pair.near.me, echo, TH_EXIT_SHUTDOWN);
    talk_hear_nothing(pair.near.me);
    test_system_close(&pair.near);
}

Test(transport, an_actor_there_can_be_stopped_but_not_the_admin)
{
    struct pair pair = pair_open();
    th_addr echo = make_echo(&pair);

    must(th_watch_actor(pair.near.me, echo));
    must(th_stop(pair.near.me, pair.admin));
    must(th_stop(pair.near.me, th_self_addr(pair.far.me)));
    must(th_stop(pair.near.me, echo));
    hear_gone(pair.near.me, echo, TH_EXIT_REQUESTED);
    cr_assert_eq(test_system_counts(&pair.far).refused, 2);
    cr_assert(th_addr_is_none(pair_find(pair.near.me, pair.admin, "echo")), "the admin answers");
    pair_close(&pair);
}

Test(transport, mail_for_who_is_gone_there_is_a_dead_letter_there)
{
    struct pair pair = pair_open();
    th_addr echo = make_echo(&pair);
    th_msg *answer;

    must(th_watch_actor(pair.near.me, echo));
    must(talk_say(pair.near.me, echo, "stop"));
    hear_gone(pair.near.me, echo, TH_EXIT_NORMAL);
    must(th_dead_letters_to_me(pair.far.me, true));
    must(talk_say(pair.near.me, echo, "too late"));
    must(th_listen(pair.far.me, TALK_PATIENCE, &answer));
    cr_assert_not_null(th_dead_letter_of(answer));
    th_msg_destroy(pair.far.me, answer);
    must_be(th_ask(pair.near.me, echo, talk_word(pair.near.me, "you?"), TALK_PATIENCE, &answer),
            TH_E_NO_ACTOR);
    must(th_dead_letters_to_me(pair.far.me, false));
    pair_close(&pair);
}

Test(transport, mail_for_a_system_that_has_shut_down_is_a_dead_letter_here)
{
    struct pair pair = pair_open();
    th_addr echo = make_echo(&pair);
    const struct th_dead_letter *letter;
    th_msg *msg;

    must(th_watch_actor(pair.near.me, echo));
    talk_expect(pair.near.me, echo, "there?", "there?");
    test_system_end(&pair.far);
    hear_gone(pair.near.me, echo, TH_EXIT_SHUTDOWN);
    must(th_dead_letters_to_me(pair.near.me, true));
    must(talk_say(pair.near.me, echo, "too late"));
    must(th_listen(pair.near.me, TALK_PATIENCE, &msg));
    letter = th_dead_letter_of(msg);
    cr_assert_not_null(letter);
    cr_assert(letter->reason == TH_DEAD_FOREIGN || letter->reason == TH_DEAD_LINK_LOST, "%s",
              th_dead_reason_text(letter->reason));
    th_msg_destroy(pair.near.me, msg);
    must(th_dead_letters_to_me(pair.near.me, false));
    test_system_close(&pair.near);
}

/* ---- sizes ---- */

TH_SIGNAL(load); /* with a rest of any length */
TH_SIGNAL_TYPE(load)

static void pass(struct pair *pair, size_t size)
{
    th_msg *msg = th_msg_create_sized(pair->near.me, &load_type, size), *got;
    unsigned char *bytes = th_msg_rest(msg, NULL);
    size_t got_size;

    for (size_t i = 0; i < size; i += 1 + size / 1000)
        bytes[i] = (unsigned char)(i * 31 + size);
    must(th_send(pair->near.me, th_self_addr(pair->far.me), msg));
    must(th_listen(pair->far.me, TALK_PATIENCE, &got));
    cr_assert_eq(th_msg_type(got), &load_type);
    bytes = th_msg_rest(got, &got_size);
    cr_assert_eq(got_size, size);
    for (size_t i = 0; i < size; i += 1 + size / 1000)
        cr_assert_eq(bytes[i], (unsigned char)(i * 31 + size));
    th_msg_destroy(pair->far.me, got);
}

Test(transport, messages_of_any_size_pass, .timeout = 120)
{
    static const size_t sizes[] = { 0,
                                    1,
                                    63,
                                    64,
                                    4095,
                                    65535,
                                    65536,
                                    65537,
                                    1 << 20,
                                    (1 << 20) + 1,
                                    8 * 1024 * 1024,
                                    TH_MESSAGE_SIZE_MAX };
    struct pair pair = pair_open();

    must(th_type_register(pair.far.sys, &load_type));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        pass(&pair, sizes[i]);
    pair_close(&pair);
}

/* ---- back-pressure ---- */

/* "go": sends what it counts down from, one number a turn, to where it was told. */
struct pump {
    th_addr to;
    int64_t left, got;
    struct talk_waiter waiter;
};

TH_SIGNAL(tick);
TH_SIGNAL_TYPE(tick)

static th_err pump_receive(th_self *self, void *state, const th_msg *msg)
{
    struct pump *pump = state;
    th_err err = TH_OK;

    if (talk_whom_of(msg))
        pump->to = talk_whom_of(msg)->addr;
    if (talk_number_of(msg) && talk_number_of(msg)->value > 0)
        return talk_waiter_set(self, &pump->waiter, msg, pump->got);
    if (talk_number_of(msg))
        return talk_waiter_check(self, &pump->waiter, ++pump->got);
    if (talk_is(msg, "go"))
        pump->left = MANY;
    for (int i = 0; i < 7 && pump->left > 0 && !err; i++)
        err = talk_count(self, pump->to, -pump->left--);
    return err || pump->left == 0 ? err : tick_send(self, th_self_addr(self), (struct tick){ 0 });
}

static const th_class pump_class = { .name = "pump",
                                     .state_size = sizeof(struct pump),
                                     .receive = pump_receive };

/* Both flood each other; each is held by its queue, and still gets what the other sends. */
static void run_flood(uint32_t soft_max)
{
    th_transport_options options = { .queue_soft_max = soft_max, .queue_hard_max = soft_max + 7 };
    struct pair pair = pair_open_with(&options);
    th_addr near = talk_create(pair.near.me, &pump_class);
    th_addr far = talk_create(pair.far.me, &pump_class);

    must(talk_whom_send(pair.near.me, near, (struct talk_whom){ far }));
    must(talk_whom_send(pair.far.me, far, (struct talk_whom){ near }));
    must(talk_say(pair.near.me, near, "go"));
    must(talk_say(pair.far.me, far, "go"));
    talk_wait_for(pair.near.me, near, MANY);
    talk_wait_for(pair.far.me, far, MANY);
    pair_close(&pair);
}

Test(transport, two_that_flood_each_other_are_both_done, .timeout = 120)
{
    run_flood(1);
    run_flood(2);
    run_flood(3);
    run_flood(100);
}

/* ---- dialling ---- */

static void expect_unreachable(struct test_system *ts, const char *address, const char *words)
{
    char why[TH_DETAILS_SIZE];
    th_addr admin;
    th_err err = th_connect(ts->me, address, TALK_PATIENCE, &admin, why);

    cr_assert_eq(err, TH_E_UNREACHABLE, "%s: %s", address, th_err_name(err));
    cr_assert(strstr(why, words) != NULL, "%s: %s", address, why);
}

Test(transport, addresses_that_are_none_are_said_to_be)
{
    struct pair pair = pair_open();

    expect_unreachable(&pair.near, "", "address");
    expect_unreachable(&pair.near, "no port", "");
    expect_unreachable(&pair.near, "127.0.0.1:70000", "");
    expect_unreachable(&pair.near, "[::1:80", "");
    expect_unreachable(&pair.near, "192.0.2.1:80", "this machine");
    pair_close(&pair);
}

Test(transport, dialling_once_more_finds_the_same_link)
{
    struct pair pair = pair_open();
    th_addr admin;

    must(th_connect(pair.near.me, pair.address, TALK_PATIENCE, &admin, NULL));
    cr_assert(th_addr_equal(admin, pair.admin));
    cr_assert_eq(pair_link(&pair.near).connects, 1);
    pair_close(&pair);
}

/* ---- bad input ---- */

Test(transport, bad_input_is_said_to_be)
{
    static const char *const nowhere[] = { "nowhere", NULL }, *const wide[] = { "0.0.0.0:0", NULL };
    struct test_system simple, pool;
    char why[TH_DETAILS_SIZE], text[64];
    th_transport_options options = { 0 };
    th_addr admin;

    pair_prepare();
    simple = test_system_open(TH_BASE_SIMPLE, 1);
    pool = test_system_open(TH_BASE_POOL, 0);
    must_be(th_transport_start(NULL, &options, why), TH_E_INVALID);
    must_be(th_transport_start(pool.sys, NULL, why), TH_E_INVALID);
    must_be(th_transport_start(simple.sys, &options, why), TH_E_WRONG_BASE);
    must_be(th_connect(pool.me, "127.0.0.1:1", TALK_PATIENCE, &admin, why), TH_E_STATE);
    must_be(th_links_each(pool.sys, NULL, NULL), TH_E_INVALID);
    cr_assert(th_addr_is_none(th_transport_desk(pool.sys)));
    cr_assert_eq(th_transport_listens(pool.sys, 0, text, sizeof(text)), 0);
    options.queue_soft_max = 9;
    options.queue_hard_max = 8;
    must_be(th_transport_start(pool.sys, &options, NULL), TH_E_INVALID);
    options = (th_transport_options){ .listen = nowhere };
    cr_assert_neq(th_transport_start(pool.sys, &options, why), TH_OK);
    cr_assert_neq(why[0], '\0');
    options.listen = wide;
    must_be(th_transport_start(pool.sys, &options, why), TH_E_NOT_ALLOWED);
    options.listen = NULL;
    must(th_transport_start(pool.sys, &options, why));
    must_be(th_transport_start(pool.sys, &options, why), TH_E_STATE);
    must_be(th_connect(NULL, "127.0.0.1:1", TALK_PATIENCE, &admin, why), TH_E_INVALID);
    must_be(th_connect(pool.me, NULL, TALK_PATIENCE, &admin, why), TH_E_INVALID);
    must_be(th_connect(pool.me, "127.0.0.1:1", TALK_PATIENCE, NULL, why), TH_E_INVALID);
    test_system_close(&pool);
    test_system_close(&simple);
}
