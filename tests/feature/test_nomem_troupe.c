/* The n-th allocation fails while supervisors, troupes, routers and topics are at work. */
#include "tests/support/shortage.h"
#include "tests/support/talk.h"

static th_err kin_receive(th_self *self, void *state, const th_msg *msg)
{
    return talk_is(msg, "die") ? th_exit_because(self, TH_E_FAILED, NULL) : TH_OK;
}

static const th_class kin = { .name = "kin", .receive = kin_receive };

static void supervisors(struct test_system *ts)
{
    th_child_spec children[] = { { .id = "a", .klass = &kin }, { .id = "b", .klass = &kin } };
    th_addr supervisor;

    for (int i = 0; i < 2; i++)
        children[i].arg = talk_word(ts->me, "argument");
    if (th_supervisor_spawn(ts->me, children, 2,
                            &(th_supervisor_options){ .strategy = TH_ALL_FOR_ONE }, &supervisor))
        return;
    for (int i = 0; i < 2; i++) {
        struct th_supervisor_find *body;
        th_msg *question = th_supervisor_find_new(ts->me, &body), *answer = NULL;

        shortage_listen(ts->me, TALK_SILENCE);
        if (!question)
            continue;
        body->id[0] = 'a';
        if (th_ask(ts->me, supervisor, question, TALK_SILENCE, &answer) == TH_OK &&
            th_supervisor_child_of(answer))
            whatever(talk_say(ts->me, th_supervisor_child_of(answer)->addr, "die"));
        th_msg_destroy(ts->me, answer);
    }
    whatever(th_supervisor_add(ts->me, supervisor, &(th_child_spec){ .id = "c", .klass = &kin }));
    whatever(th_stop(ts->me, supervisor));
    shortage_listen(ts->me, TALK_SILENCE);
}

static void troupes(struct test_system *ts)
{
    th_addr leader;

    if (th_troupe_spawn(ts->me, &talk_echo, NULL, &(th_troupe_options){ .workers_max = 3 },
                        &leader))
        return;
    for (int i = 0; i < 6; i++)
        whatever(talk_say(ts->me, leader, "job"));
    shortage_ask(ts->me, leader, "job?");
    whatever(th_stop(ts->me, leader));
    for (int i = 0; i < 6; i++)
        shortage_listen(ts->me, TALK_SILENCE);
}

static void routers(struct test_system *ts)
{
    static const th_routing routings[] = { TH_ROUTE_IN_TURN, TH_ROUTE_TO_ALL, TH_ROUTE_BY_LOAD };
    th_addr guest = th_addr_none(), router;

    whatever(th_spawn(ts->me, &talk_echo, NULL, &guest));
    for (int i = 0; i < 3; i++) {
        if (th_router_spawn(ts->me,
                            &(th_router_options){ .routing = routings[i],
                                                  .klass = &kin,
                                                  .arg = talk_word(ts->me, "argument"),
                                                  .children = 2,
                                                  .waiting_max = 2 },
                            &router))
            continue;
        if (!th_addr_is_none(guest))
            whatever(th_router_join_send(ts->me, router, (struct th_router_join){ guest }));
        whatever(talk_say(ts->me, router, "hello"));
        whatever(talk_say(ts->me, router, "die"));
        whatever(th_router_set_send(ts->me, router, (struct th_router_set){ .children = 3 }));
        shortage_ask(ts->me, router, "hello?");
        whatever(th_router_leave_send(ts->me, router, (struct th_router_leave){ guest }));
        whatever(th_tell(ts->me, router, th_msg_create(ts->me, &th_router_ask_status_type)));
        for (int j = 0; j < 5; j++)
            shortage_listen(ts->me, TH_MS(1));
        whatever(th_stop(ts->me, router));
    }
}

static void topics(struct test_system *ts)
{
    th_addr topics, readers[2];

    if (th_topics_spawn(ts->me, NULL, &topics))
        return;
    for (int i = 0; i < 2; i++) {
        if (th_spawn(ts->me, &kin, NULL, &readers[i]))
            return;
        whatever(th_subscribe_to(ts->me, topics, "a/+", readers[i]));
        whatever(th_subscribe_to(ts->me, topics, "a/b/#", readers[i]));
        whatever(th_publish(ts->me, topics, "a/b", talk_word(ts->me, "die"), TH_PUBLISH_RETAIN));
        shortage_listen(ts->me, TH_MS(1));
    }
    whatever(th_unsubscribe_from(ts->me, topics, "a/+", readers[0]));
    whatever(th_tell(ts->me, topics, th_msg_create(ts->me, &th_topics_ask_status_type)));
    whatever(th_topics_set_send(ts->me, topics, (struct th_topics_set){ .topics_max = 5 }));
    whatever(th_stop(ts->me, readers[1]));
    whatever(th_retract(ts->me, topics, "a/b"));
    whatever(th_publish(ts->me, topics, "c", talk_word(ts->me, "kept"), TH_PUBLISH_RETAIN));
    for (int i = 0; i < 6; i++)
        shortage_listen(ts->me, TH_MS(1));
    whatever(th_stop(ts->me, topics));
}
SWEEP(nomem_troupe, supervisors)
SWEEP(nomem_troupe, troupes)
SWEEP(nomem_troupe, routers)
SWEEP(nomem_troupe, topics)
