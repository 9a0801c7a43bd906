/* supervised.c: a worker that dies of every third job, and a supervisor that starts it anew.
 *
 *     supervised [JOBS]
 *
 * The clerk's address changes with each life, so whoever wants it asks the supervisor by its id. */
#include <thespis/thespis.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOB_FIELDS(F, S) F(S, u32, number)
TH_MESSAGE(job, JOB_FIELDS);
TH_MESSAGE_TYPE(job, JOB_FIELDS)

static th_err clerk_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct job *job = job_of(msg);

    if (!job)
        return TH_OK;
    if (job->number % 3 == 0)
        return th_exit_because(self, TH_E_FAILED, "job %u was too much", job->number);
    return job_send(self, th_msg_sender(msg), *job);
}

static const th_class clerk = { .name = "clerk", .receive = clerk_receive };

/* Where the clerk is now; it may be starting anew just then. */
static th_addr find_clerk(th_self *me, th_addr supervisor)
{
    for (;;) {
        struct th_supervisor_find *body;
        th_msg *question = th_supervisor_find_new(me, &body), *answer;
        th_addr addr = th_addr_none();

        if (question)
            strcpy(body->id, "clerk");
        if (th_ask(me, supervisor, question, TH_S(5), &answer))
            return addr;
        if (th_supervisor_child_of(answer))
            addr = th_supervisor_child_of(answer)->addr;
        th_msg_destroy(me, answer);
        if (!th_addr_is_none(addr))
            return addr;
        (void)!th_listen(me, TH_MS(5), &answer); /* nothing comes: it is a pause */
    }
}

int main(int argc, char **argv)
{
    unsigned jobs = argc > 1 ? (unsigned)atoi(argv[1]) : 6, done = 0;
    th_child_spec children[] = { { .id = "clerk", .klass = &clerk } };
    th_supervisor_options options = { .restarts_max = 20 };
    th_system *sys = th_system_create(NULL);
    th_addr supervisor;
    th_self *me;
    th_msg *answer;

    if (!sys || th_system_start(sys))
        return 1;
    me = th_system_self(sys);
    if (th_supervisor_spawn(me, children, 1, &options, &supervisor))
        return 1;
    for (unsigned i = 1; i <= jobs; i++) {
        struct job *body;
        th_msg *job = job_new(me, &body);

        if (job)
            body->number = i;
        if (th_ask(me, find_clerk(me, supervisor), job, TH_S(1), &answer) == TH_OK) {
            done++;
            th_msg_destroy(me, answer);
        }
    }
    printf("%u of %u jobs done\n", done, jobs);
    if (th_system_shutdown(sys, TH_S(5), NULL, NULL))
        return 1;
    th_system_destroy(sys);
    return 0;
}
