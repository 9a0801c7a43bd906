/* A bad argument is answered with a status: mailboxes with a limit. */
#include "tests/support/probe.h"

/* ---- mailbox.h ---- */

static void probe_offer(struct probe *probe)
{
    th_verdict verdict = TH_OFFER_HIGH;
    th_msg *word;

    want(th_offer(NULL, probe->live, NULL, &verdict), TH_E_INVALID);
    want(th_offer(probe->me, probe->live, NULL, &verdict), TH_E_INVALID);
    want(th_offer(probe->me, probe->none, probe_word(probe), &verdict), TH_E_INVALID);
    want(th_offer(probe->me, probe->live, probe_word(probe), NULL), TH_E_INVALID);
    want(th_offer(probe->me, probe->foreign, probe_word(probe), &verdict), TH_E_FOREIGN);
    claim(verdict == TH_OFFER_HIGH);
    word = probe_word(probe);
    want(th_offer(probe->me, probe->dead, word, &verdict), TH_OK);
    claim(verdict == TH_OFFER_CLOSED);
    want(th_offer(probe->me, probe->nowhere, word, &verdict), TH_OK);
    claim(verdict == TH_OFFER_CLOSED);
    want(th_offer(probe->me, probe->live, word, &verdict), TH_OK);
    claim(verdict == TH_OFFER_QUEUED);
}

static void probe_when_writable(struct probe *probe)
{
    want(th_when_writable(NULL, probe->live), TH_E_INVALID);
    want(th_when_writable(probe->me, probe->none), TH_E_INVALID);
    want(th_when_writable(probe->me, probe->foreign), TH_E_FOREIGN);
    want(th_when_writable(probe->me, probe->live), TH_OK);
    want(th_when_writable(probe->me, probe->dead), TH_OK);
    want(th_when_writable(probe->me, probe->nowhere), TH_OK);
}

static void probe_mailbox_read(struct probe *probe)
{
    th_mailbox_state state;

    want(th_mailbox_read(NULL, probe->live, &state), TH_E_INVALID);
    want(th_mailbox_read(probe->sys, probe->live, NULL), TH_E_INVALID);
    want(th_mailbox_read(probe->sys, probe->none, &state), TH_E_INVALID);
    want(th_mailbox_read(probe->sys, probe->foreign, &state), TH_E_FOREIGN);
    want(th_mailbox_read(probe->sys, probe->dead, &state), TH_E_NO_ACTOR);
    want(th_mailbox_read(probe->sys, probe->nowhere, &state), TH_E_NO_ACTOR);
    want(th_mailbox_read(probe->sys, probe->live, &state), TH_OK);
    claim(state.limit == 0 && state.used == 0);
}

/* ---- the table ---- */

#define ROW(name)                                                                                  \
    {                                                                                              \
        "th_" #name, probe_##name                                                                  \
    }
static const struct probe_row rows[] = {
    ROW(offer),
    ROW(when_writable),
    ROW(mailbox_read),
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

BOTH_BASES(bad_input_mailbox, every_function_as_an_endpoint)
{
    probe_as_endpoint(ts, rows, ROWS);
}

BOTH_BASES(bad_input_mailbox, every_function_in_an_actor)
{
    probe_in_actor(ts, rows, ROWS);
}

Test(bad_input_mailbox, no_function_of_the_headers_is_missing)
{
    static const char *const headers[] = { "mailbox.h", NULL };

    probe_headers(headers, rows, ROWS);
}
