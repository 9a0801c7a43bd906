/* A bad argument is answered with a status: errors, addresses, types, memory, messages. */
#include "tests/support/probe.h"

/* ---- error.h, addr.h, type.h ---- */

static void probe_strerror(struct probe *probe)
{
    for (int err = -2; err < TH_ERR_COUNT + 2; err++)
        claim(th_strerror((th_err)err) && th_strerror((th_err)err)[0]);
    claim(strcmp(th_strerror((th_err)9999), "not an error of libthespis") == 0);
}

static void probe_err_name(struct probe *probe)
{
    for (int err = -2; err < TH_ERR_COUNT + 2; err++)
        claim(th_err_name((th_err)err) && th_err_name((th_err)err)[0]);
    claim(strcmp(th_err_name(TH_E_TIMEOUT), "TH_E_TIMEOUT") == 0);
}

static void probe_addr_compare(struct probe *probe)
{
    claim(th_addr_compare(probe->none, probe->none) == 0);
    claim(th_addr_compare(probe->live, probe->dead) == -th_addr_compare(probe->dead, probe->live));
    claim(th_addr_compare(probe->none, probe->live) < 0);
}

static void probe_addr_hash(struct probe *probe)
{
    claim(th_addr_hash(probe->none) == th_addr_hash(th_addr_none()));
    claim(th_addr_hash(probe->live) != th_addr_hash(probe->dead));
}

static void probe_addr_print(struct probe *probe)
{
    char text[TH_ADDR_TEXT_SIZE] = "####";

    claim(th_addr_print(probe->live, NULL, 0) > 0);
    claim(th_addr_print(probe->live, text, 0) > 0 && text[0] == '#');
    claim(th_addr_print(probe->live, text, 1) > 0 && text[0] == '\0' && text[1] == '#');
    claim(th_addr_print(probe->none, text, sizeof(text)) == 4 && strcmp(text, "none") == 0);
}

static void probe_addr_parse(struct probe *probe)
{
    static const char *const bad[] = {
        "",       ".",       "none ", "1",       "1.2",
        "1.2.3.", "1.2.3.4", "x.1.1", "1.-1.1",  "1.1.4294967296",
        " 1.1.1", "1.1.1 ",  "NONE",  "0x1.1.1", "11112222333344445.1.1"
    };
    th_addr addr = probe_untouched;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        want(th_addr_parse(bad[i], &addr), TH_E_PARSE);
        claim(th_addr_equal(addr, probe_untouched));
    }
    want_or(th_addr_parse(NULL, &addr), TH_E_INVALID, TH_E_PARSE);
    want_or(th_addr_parse("none", NULL), TH_E_INVALID, TH_E_PARSE);
    claim(th_addr_equal(addr, probe_untouched));
}

static void probe_type_name(struct probe *probe)
{
    const th_type without = { .name = NULL };

    claim(strcmp(th_type_name(NULL), "(none)") == 0);
    claim(th_type_name(&without) != NULL);
}

static void probe_type_is(struct probe *probe)
{
    claim(!th_type_is(NULL, &talk_word_type));
    claim(!th_type_is(&talk_word_type, NULL));
    claim(!th_type_is(NULL, NULL));
}

static void probe_type_check(struct probe *probe)
{
    static const th_field outside = { "x", TH_KIND_u64, 4, 1, 8, NULL };
    static const th_field no_name = { NULL, TH_KIND_u64, 0, 1, 8, NULL };
    static const th_field no_kind = { "x", (th_kind)99, 0, 1, 8, NULL };
    static const th_field wraps = { "x", TH_KIND_u64, UINT32_MAX - 3, UINT32_MAX, 8, NULL };
    const th_type types[] = { { .name = NULL, .size = 8 },
                              { .name = "", .size = 8 },
                              { .name = "t", .field_count = 1, .size = 8 },
                              { .name = "t", .fields = &outside, .field_count = 1, .size = 8 },
                              { .name = "t", .fields = &no_name, .field_count = 1, .size = 8 },
                              { .name = "t", .fields = &no_kind, .field_count = 1, .size = 8 },
                              { .name = "t", .fields = &wraps, .field_count = 1, .size = 8 } };

    want(th_type_check(NULL), TH_E_INVALID);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        want(th_type_check(&types[i]), TH_E_INVALID);
    want(th_type_check(&talk_word_type), TH_OK);
}

/* ---- alloc.h ---- */

static void probe_alloc(struct probe *probe)
{
    void *some = th_alloc(probe->me, 0);

    th_free(probe->me, some, 0);
    claim(th_alloc(NULL, 8) == NULL);
    claim(th_alloc(probe->me, SIZE_MAX) == NULL);
    claim(th_alloc(probe->me, SIZE_MAX - 15) == NULL);
}

static void probe_free(struct probe *probe)
{
    th_free(probe->me, NULL, 0);
    th_free(probe->me, NULL, 100);
    th_free(NULL, NULL, 0);
    claim(true);
}

static void probe_blob_create(struct probe *probe)
{
    th_blob *empty = th_blob_create(probe->me, NULL, 0);

    claim(th_blob_create(NULL, "x", 1) == NULL);
    claim(th_blob_create(probe->me, NULL, 1) == NULL);
    claim(th_blob_create(probe->me, "x", SIZE_MAX) == NULL);
    claim(!empty || (empty->size == 0 && empty->data[0] == '\0'));
    th_blob_unref(empty);
}

static void probe_blob_text(struct probe *probe)
{
    claim(th_blob_text(NULL, "x") == NULL);
    claim(th_blob_text(probe->me, NULL) == NULL);
}

static void probe_blob_reserve(struct probe *probe)
{
    char *data = NULL;

    claim(th_blob_reserve(NULL, 1, &data) == NULL);
    claim(th_blob_reserve(probe->me, SIZE_MAX, &data) == NULL);
    claim(th_blob_reserve(probe->me, 1, NULL) == NULL);
}

static void probe_blob_ref(struct probe *probe)
{
    claim(th_blob_ref(NULL) == NULL);
}

static void probe_blob_unref(struct probe *probe)
{
    th_blob_unref(NULL);
    claim(true);
}

/* ---- msg.h ---- */

static void probe_msg_create(struct probe *probe)
{
    claim(th_msg_create(NULL, &talk_word_type) == NULL);
    claim(th_msg_create(probe->me, NULL) == NULL);
    want(th_send(probe->me, probe->live, NULL), TH_E_INVALID);
    claim(th_msg_create(probe->me, &th_wakeup_type) == NULL);
    want(th_send(probe->me, probe->live, NULL), TH_E_NOT_ALLOWED);
    claim(th_msg_create(probe->me, &th_poison_type) == NULL);
    claim(th_msg_create(probe->me, &th_child_exited_type) == NULL);
    claim(th_msg_create(probe->me, &th_dead_letter_type) == NULL);
    want(th_send(probe->me, probe->live, NULL), TH_E_NOT_ALLOWED);
}

static void probe_msg_create_sized(struct probe *probe)
{
    claim(th_msg_create_sized(NULL, &talk_word_type, 0) == NULL);
    claim(th_msg_create_sized(probe->me, NULL, 8) == NULL);
    claim(th_msg_create_sized(probe->me, &talk_word_type, 8) == NULL); /* word has no rest */
    want(th_send(probe->me, probe->live, NULL), TH_E_INVALID);
    claim(th_msg_create_sized(probe->me, &th_wakeup_type, 0) == NULL);
}

static void probe_msg_dup(struct probe *probe)
{
    th_msg *msg = probe_word(probe);

    claim(th_msg_dup(probe->me, NULL) == NULL);
    claim(th_msg_dup(NULL, msg) == NULL);
    th_msg_destroy(probe->me, msg);
}

static void probe_msg_destroy(struct probe *probe)
{
    th_msg_destroy(probe->me, NULL);
    th_msg_destroy(NULL, NULL);
    claim(true);
}

static void probe_msg_describe(struct probe *probe)
{
    char text[8] = "#######";
    th_msg *msg = probe_word(probe);

    th_msg_describe(NULL, text, sizeof(text));
    claim(memchr(text, 0, sizeof(text)) != NULL);
    claim(th_msg_describe(msg, NULL, 0) > 0);
    th_msg_destroy(probe->me, msg);
}

static void probe_send(struct probe *probe)
{
    want(th_send(NULL, probe->live, NULL), TH_E_INVALID);
    want(th_send(probe->me, probe->none, probe_word(probe)), TH_E_INVALID);
    want_or(th_send(probe->me, probe->live, NULL), TH_E_INVALID, TH_E_NOMEM);
    want(th_send(probe->me, probe->dead, probe_word(probe)), TH_OK);
    want(th_send(probe->me, probe->foreign, probe_word(probe)), TH_OK);
    want(th_send(probe->me, probe->nowhere, probe_word(probe)), TH_OK);
}

static void probe_forward(struct probe *probe)
{
    th_msg *msg = probe_word(probe);

    want(th_forward(NULL, probe->live, msg), TH_E_INVALID);
    want(th_forward(probe->me, probe->live, NULL), TH_E_INVALID);
    want(th_forward(probe->me, probe->none, msg), TH_E_INVALID);
    want(th_forward(probe->me, probe->dead, msg), TH_OK);
    want(th_forward(probe->me, probe->foreign, msg), TH_OK);
    th_msg_destroy(probe->me, msg);
}

static void probe_exit_reason_text(struct probe *probe)
{
    for (int reason = -2; reason < TH_EXIT_COUNT + 2; reason++)
        claim(th_exit_reason_text((th_exit_reason)reason) != NULL);
}

static void probe_exit_is_failure(struct probe *probe)
{
    claim(!th_exit_is_failure((th_exit_reason)-2));
    claim(!th_exit_is_failure(TH_EXIT_COUNT));
}

static void probe_exit_describe(struct probe *probe)
{
    char text[4] = "";

    claim(th_exit_describe((th_exit_reason)99, (th_err)9999, NULL, NULL, 9) > 9);
    claim(th_exit_describe(TH_EXIT_NORMAL, TH_OK, "words", text, 0) > 9);
    claim(th_exit_describe(TH_EXIT_NORMAL, TH_OK, "words", text, sizeof(text)) > 9);
    claim(text[3] == '\0');
}

static void probe_dead_reason_text(struct probe *probe)
{
    for (int reason = -2; reason < TH_DEAD_COUNT + 2; reason++)
        claim(th_dead_reason_text((th_dead_reason)reason) != NULL);
}

static void probe_assert_failed(struct probe *probe)
{
    claim(true); /* aborts by contract: nothing to try */
}

/* ---- the table ---- */

#define ROW(name)                                                                                  \
    {                                                                                              \
        "th_" #name, probe_##name                                                                  \
    }
static const struct probe_row rows[] = {
    ROW(strerror),
    ROW(err_name),
    ROW(addr_compare),
    ROW(addr_hash),
    ROW(addr_print),
    ROW(addr_parse),
    ROW(type_name),
    ROW(type_is),
    ROW(type_check),
    ROW(alloc),
    ROW(free),
    ROW(blob_create),
    ROW(blob_text),
    ROW(blob_reserve),
    ROW(blob_ref),
    ROW(blob_unref),
    ROW(msg_create),
    ROW(msg_create_sized),
    ROW(msg_dup),
    ROW(msg_destroy),
    ROW(msg_describe),
    ROW(send),
    ROW(forward),
    ROW(exit_reason_text),
    ROW(exit_is_failure),
    ROW(exit_describe),
    ROW(dead_reason_text),
    ROW(assert_failed),
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

BOTH_BASES(bad_input_messages, every_function_as_an_endpoint)
{
    probe_as_endpoint(ts, rows, ROWS);
}

BOTH_BASES(bad_input_messages, every_function_in_an_actor)
{
    probe_in_actor(ts, rows, ROWS);
}

Test(bad_input_messages, no_function_of_the_headers_is_missing)
{
    static const char *const headers[] = { "error.h", "assert.h", "addr.h", "type.h",
                                           "alloc.h", "msg.h",    NULL };

    probe_headers(headers, rows, ROWS);
}
