#include "tests/support/pair.h"

#include <uv.h>

#include "tests/support/talk.h"

static void register_types(th_system *system)
{
    must(th_type_register(system, &talk_word_type));
    must(th_type_register(system, &talk_number_type));
    must(th_type_register(system, &talk_whom_type));
}

static void start(struct test_system *ts, const th_transport_options *options,
                  const char *const *listen)
{
    th_transport_options own = options ? *options : (th_transport_options){ 0 };
    char why[TH_DETAILS_SIZE];
    th_err err;

    own.listen = listen;
    err = th_transport_start(ts->sys, &own, why);
    cr_assert_eq(err, TH_OK, "%s: %s", th_err_name(err), why);
    register_types(ts->sys);
}

struct test_system pair_listen(const th_transport_options *options, char address[64])
{
    static const char *const here[] = { "127.0.0.1:0", NULL };
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);

    start(&ts, options, here);
    cr_assert_gt(th_transport_listens(ts.sys, 0, address, 64), 0);
    return ts;
}

void pair_prepare(void)
{
    uv_loop_t loop;

    cr_assert_eq(uv_loop_init(&loop), 0);
    cr_assert_eq(uv_loop_close(&loop), 0);
}

struct pair pair_open_with(const th_transport_options *options)
{
    struct pair pair;
    char why[TH_DETAILS_SIZE];
    th_err err;

    pair_prepare();
    pair.near = test_system_open(TH_BASE_POOL, 0);
    pair.far = pair_listen(options, pair.address);
    start(&pair.near, options, NULL);
    err = th_connect(pair.near.me, pair.address, TALK_PATIENCE, &pair.admin, why);
    cr_assert_eq(err, TH_OK, "%s: %s", th_err_name(err), why);
    cr_assert(th_addr_equal(pair.admin, th_system_admin(pair.far.sys)));
    /* who is dialled knows of the other a moment later: in any case when it has heard from it */
    must(talk_say(pair.near.me, th_self_addr(pair.far.me), "hello"));
    talk_hear(pair.far.me, "hello");
    return pair;
}

struct pair pair_open(void)
{
    return pair_open_with(NULL);
}

void pair_close(struct pair *pair)
{
    test_system_end(&pair->far); /* near's sockets come and go */
    test_system_close(&pair->near);
}

th_addr pair_find(th_self *me, th_addr admin, const char *name)
{
    struct th_whereis *question;
    th_msg *msg = th_whereis_new(me, &question);
    th_addr actor;

    question->name = th_blob_text(me, name);
    must(th_ask(me, admin, msg, TALK_PATIENCE, &msg));
    cr_assert_not_null(th_found_of(msg));
    actor = th_found_of(msg)->actor;
    th_msg_destroy(me, msg);
    return actor;
}

static void keep(void *context, const th_link_status *link)
{
    *(th_link_status *)context = *link;
}

th_link_status pair_link(struct test_system *ts)
{
    th_link_status status = { 0 };

    must(th_links_each(ts->sys, keep, &status));
    status.name = status.address = NULL; /* good during the call only */
    return status;
}
