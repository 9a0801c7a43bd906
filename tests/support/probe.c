#include "tests/support/probe.h"

#include <stdio.h>

void probe_note(struct probe *probe, int line, const char *what, const char *instead)
{
    if (!probe->wrong[0])
        snprintf(probe->wrong, sizeof(probe->wrong), "line %d, as %s: %s: %s", line,
                 probe->is_actor ? "an actor" : "an endpoint", what, instead);
}

th_msg *probe_word(struct probe *probe)
{
    return talk_word(probe->me, "probe");
}

const th_class probe_class = { .name = "probed" };

/* ---- in an actor: it is sent the probe, and answers when it is done ---- */

struct probe_errand {
    const struct probe_row *row;
    struct probe *probe;
};
TH_MESSAGE_LOCAL(probe_errand);
TH_MESSAGE_LOCAL_TYPE(probe_errand, NULL)

static th_err inspector_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct probe_errand *errand = probe_errand_of(msg);

    if (!errand)
        return TH_OK;
    errand->probe->me = self;
    errand->row->run(errand->probe);
    return talk_say(self, th_msg_sender(msg), "done");
}

static const th_class inspector = { .name = "inspector",
                                    .state_size = 8,
                                    .receive = inspector_receive };

static void send_probe(th_self *me, th_addr actor, const struct probe_row *row, struct probe *probe)
{
    struct probe_errand *body;
    th_msg *msg = probe_errand_new(me, &body), *answer = NULL;

    cr_assert_not_null(msg);
    *body = (struct probe_errand){ row, probe };
    must(th_ask(me, actor, msg, TALK_PATIENCE, &answer));
    cr_assert(talk_is(answer, "done"));
    th_msg_destroy(me, answer);
}

static struct probe make_probe(struct test_system *ts)
{
    struct probe probe = { .sys = ts->sys, .me = ts->me, .none = th_addr_none() };
    th_addr guardian = talk_create(ts->me, &talk_guardian);

    probe.is_simple = test_is_simple(ts);
    probe.live = talk_create(ts->me, &probe_class);
    probe.dead = talk_raise(ts->me, guardian, &probe_class);
    must(th_stop(ts->me, probe.dead));
    talk_wait_for(ts->me, guardian, 1);
    probe.foreign = probe.live;
    probe.foreign.system ^= 0xffff;
    probe.nowhere = probe.live;
    probe.nowhere.slot = UINT32_MAX;
    return probe;
}

static void check_row(const struct probe *probe, const struct probe_row *row, unsigned before)
{
    cr_assert_str_eq(probe->wrong, "", "%s: %s", row->function, probe->wrong);
    cr_assert_gt(probe->calls, before, "%s is not probed", row->function);
}

void probe_as_endpoint(struct test_system *ts, const struct probe_row *rows, size_t count)
{
    struct probe probe = make_probe(ts);

    for (size_t i = 0; i < count; i++) {
        unsigned before = probe.calls;

        rows[i].run(&probe);
        check_row(&probe, &rows[i], before);
    }
    talk_expect(ts->me, talk_create(ts->me, &talk_echo), "still well", "still well");
}

void probe_in_actor(struct test_system *ts, const struct probe_row *rows, size_t count)
{
    struct probe probe = make_probe(ts);
    th_addr actor = talk_create(ts->me, &inspector);

    probe.is_actor = true;
    for (size_t i = 0; i < count; i++) {
        unsigned before = probe.calls;

        send_probe(ts->me, actor, &rows[i], &probe);
        check_row(&probe, &rows[i], before);
    }
    talk_expect(ts->me, talk_create(ts->me, &talk_echo), "still well", "still well");
}

/* ---- nothing is left out ---- */

const char *probe_header_text(const char *header)
{
    char path[256];

    snprintf(path, sizeof(path), "include/thespis/%s", header);
    return probe_file_text(path);
}

const char *probe_file_text(const char *name)
{
    static char text[64 * 1024];
    char path[512];
    FILE *file;

    snprintf(path, sizeof(path), TESTS_ROOT "/%s", name);
    file = fopen(path, "r");
    cr_assert_not_null(file, "no %s", path);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return text;
}

static bool has_row(const struct probe_row *rows, size_t count, const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(rows[i].function) == length && memcmp(rows[i].function, name, length) == 0)
            return true;
    }
    return false;
}

static bool is_of_a_name(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

void probe_headers(const char *const *headers, const struct probe_row *rows, size_t count)
{
    size_t found = 0;

    for (; *headers; headers++) {
        /* the name in front of the first parenthesis after each TH_API, if none ends it before */
        for (const char *at = probe_header_text(*headers); (at = strstr(at, "TH_API")); at++) {
            const char *paren = strpbrk(at, "(;#"), *name = paren;

            if (!paren || *paren != '(')
                continue;
            while (name > at && is_of_a_name(name[-1]))
                name--;
            if (strncmp(name, "th_", 3) != 0)
                continue;
            found++;
            cr_assert(has_row(rows, count, name, (size_t)(paren - name)), "%s: %.*s has no probe",
                      *headers, (int)(paren - name), name);
        }
    }
    cr_assert_eq(found, count, "%zu functions, %zu probes", found, count);
}
