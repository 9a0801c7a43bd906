/* What becomes of a record on its way to the sinks: nothing is left out without a word. */
#include "runtime/actor/log.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "tests/support/system.h"
#include "tests/support/talk.h"

/* The last record, copied. */
static struct {
    th_log_record record;
    char file[64], class_name[64];
    char text[TH_LOG_TEXT_SIZE + 100];
    th_log_field fields[TH_LOG_FIELDS_MAX + 1];
    char keys[TH_LOG_FIELDS_MAX + 1][80];
    char value[TH_LOG_FIELD_TEXT_MAX + 100]; /* of the last field that is a text */
    unsigned count;
} last;

static th_err keep(void *context, const th_log_record *record)
{
    last.record = *record;
    last.count++;
    cr_assert_eq(record->text_size, strlen(record->text));
    snprintf(last.text, sizeof(last.text), "%s", record->text);
    snprintf(last.file, sizeof(last.file), "%s", record->file ? record->file : "none");
    snprintf(last.class_name, sizeof(last.class_name), "%s", record->class_name);
    cr_assert_leq(record->field_count, TH_LOG_FIELDS_MAX + 1);
    for (uint32_t i = 0; i < record->field_count; i++) {
        last.fields[i] = record->fields[i];
        snprintf(last.keys[i], sizeof(last.keys[i]), "%s", record->fields[i].key);
        if (record->fields[i].kind == TH_LOG_KIND_STR && record->fields[i].value.s)
            snprintf(last.value, sizeof(last.value), "%s", record->fields[i].value.s);
    }
    return TH_OK;
}

static struct test_system ts;

static void open_system(void)
{
    memset(&last, 0, sizeof(last));
    ts = test_system_open_logged(keep);
}

static void close_system(void)
{
    test_system_close(&ts);
}

static void flush(void)
{
    must(th_log_flush(ts.sys, TALK_PATIENCE));
}

/* ---- the text ---- */

static char longest[2 * TH_LOG_TEXT_SIZE];

static void say(size_t length)
{
    longest[length] = '\0';
    must(th_log_write(ts.me, TH_LOG_WARN, NULL, NULL, 0, "%s", longest));
    flush();
    longest[length] = 'x';
}

Test(log_record, a_text_too_long_is_cut_and_says_so, .init = open_system, .fini = close_system)
{
    static const char mark[] = "...(4096 bytes in all)";

    cr_assert_eq(TH_LOG_TEXT_SIZE, 4096);
    memset(longest, 'x', sizeof(longest));
    say(0);
    cr_assert_str_eq(last.text, "");
    say(TH_LOG_TEXT_SIZE - 1);
    cr_assert_eq(strlen(last.text), TH_LOG_TEXT_SIZE - 1);
    cr_assert_null(strchr(last.text, '.'));
    say(TH_LOG_TEXT_SIZE);
    cr_assert_eq(strlen(last.text), TH_LOG_TEXT_SIZE - 1);
    cr_assert_str_eq(last.text + strlen(last.text) - strlen(mark), mark);
}

/* At each place within a character of three bytes. */
Test(log_record, no_character_is_cut_in_two, .init = open_system, .fini = close_system)
{
    for (size_t shift = 0; shift < 3; shift++) {
        const char *end;

        for (size_t i = 0; i < sizeof(longest) - 3; i += 3)
            memcpy(longest + shift + i, "\xe2\x82\xac", i + shift + 3 < sizeof(longest) ? 3 : 0);
        memset(longest, 'x', shift);
        longest[TH_LOG_TEXT_SIZE + 500] = '\0';
        must(th_log_write(ts.me, TH_LOG_WARN, NULL, NULL, 0, "%s", longest));
        flush();
        end = strstr(last.text, "...(");
        cr_assert_not_null(end);
        cr_assert_eq((size_t)(end - last.text - (ptrdiff_t)shift) % 3, 0);
    }
}

Test(log_record, a_text_that_cannot_be_printed_is_named, .init = open_system, .fini = close_system)
{
    must(th_log_write(ts.me, TH_LOG_WARN, NULL, NULL, 0, "wide: %ls", L"\x20ac")); /* in locale C */
    flush();
    cr_assert_str_eq(last.text, "(a text that cannot be printed: wide: %ls)");
}

/* ---- fields ---- */

Test(log_record, fields_too_many_are_counted, .init = open_system, .fini = close_system)
{
    th_log_field fields[TH_LOG_FIELDS_MAX + 3];

    for (uint64_t i = 0; i < TH_LOG_FIELDS_MAX + 3; i++)
        fields[i] = th_kv_u64("n", i);
    must(th_log_write(ts.me, TH_LOG_WARN, NULL, fields, TH_LOG_FIELDS_MAX, "as many as fit"));
    flush();
    cr_assert_eq(last.record.field_count, TH_LOG_FIELDS_MAX);
    cr_assert_eq(last.fields[TH_LOG_FIELDS_MAX - 1].value.u, TH_LOG_FIELDS_MAX - 1);
    must(th_log_write(ts.me, TH_LOG_WARN, NULL, fields, TH_LOG_FIELDS_MAX + 3, "three more"));
    flush();
    cr_assert_eq(last.record.field_count, TH_LOG_FIELDS_MAX + 1);
    cr_assert_str_eq(last.keys[TH_LOG_FIELDS_MAX], "fields_left_out");
    cr_assert_eq(last.fields[TH_LOG_FIELDS_MAX].value.u, 3);
}

Test(log_record, a_field_too_long_is_cut, .init = open_system, .fini = close_system)
{
    static char value[TH_LOG_FIELD_TEXT_MAX + 1], key[200];
    th_log_field field;

    memset(value, 'v', sizeof(value));
    memset(key, 'k', sizeof(key) - 1);
    field = th_kv_bytes(key, value, TH_LOG_FIELD_TEXT_MAX);
    must(th_log_write(ts.me, TH_LOG_WARN, NULL, &field, 1, "whole"));
    flush();
    cr_assert_eq(strlen(last.keys[0]), 64);
    cr_assert_eq(strlen(last.value), TH_LOG_FIELD_TEXT_MAX);
    field = th_kv_bytes("k", value, TH_LOG_FIELD_TEXT_MAX + 1);
    must(th_log_write(ts.me, TH_LOG_WARN, NULL, &field, 1, "cut"));
    flush();
    cr_assert_eq(strlen(last.value), TH_LOG_FIELD_TEXT_MAX + 3);
    cr_assert_str_eq(last.value + TH_LOG_FIELD_TEXT_MAX, "...");
    cr_assert_eq(last.fields[0].size, TH_LOG_FIELD_TEXT_MAX + 3);
}

Test(log_record, all_fields_together_have_a_limit, .init = open_system, .fini = close_system)
{
    static char value[TH_LOG_FIELD_TEXT_MAX];
    th_log_field fields[TH_LOG_FIELDS_MAX];
    uint32_t kept;

    memset(value, 'v', sizeof(value));
    for (int i = 0; i < TH_LOG_FIELDS_MAX; i++)
        fields[i] = th_kv_bytes("k", value, sizeof(value));
    must(th_log_write(ts.me, TH_LOG_WARN, NULL, fields, TH_LOG_FIELDS_MAX, "too much"));
    flush();
    kept = last.record.field_count - 1;
    cr_assert_geq((kept + 1) * (sizeof(value) + 6), TH_LOG_FIELDS_BYTES_MAX, "no more would fit");
    cr_assert_leq(kept * sizeof(value), TH_LOG_FIELDS_BYTES_MAX);
    cr_assert_eq(last.fields[kept].value.u, TH_LOG_FIELDS_MAX - kept);
}

/* They are copied: what they were made of may be gone when they are written. */
Test(log_record, fields_of_nothing, .init = open_system, .fini = close_system)
{
    char fleeting[] = "here and gone";
    th_log_field fields[] = { th_kv_str(NULL, "no key"), th_kv_str("none", NULL),
                              th_kv_bytes("empty", "", 0), th_kv_str("fleeting", fleeting) };

    must(th_log_write(ts.me, TH_LOG_WARN, NULL, fields, 4, "nothing"));
    memset(fleeting, '#', sizeof(fleeting) - 1);
    flush();
    cr_assert_eq(last.record.field_count, 4);
    cr_assert_str_eq(last.keys[0], "");
    cr_assert_null(last.fields[1].value.s);
    cr_assert_eq(last.fields[2].size, 0);
    cr_assert_str_eq(last.value, "here and gone");
}

/* ---- where it is from ---- */

static th_err speaker_receive(th_self *self, void *state, const th_msg *msg)
{
    if (talk_is(msg, "speak"))
        th_log_warn(self, "spoken");
    return TH_OK;
}

static const th_class speaker = { .name = "speaker", .receive = speaker_receive };

Test(log_record, it_knows_where_it_is_from, .init = open_system, .fini = close_system)
{
    th_addr addr = talk_create(ts.me, &speaker);
    uint64_t now;

    must(th_advance(ts.sys, TH_S(3)));
    must(talk_say(ts.me, addr, "speak"));
    must(th_advance(ts.sys, 0));
    flush();
    must(th_virtual_now(ts.sys, &now));
    cr_assert(th_addr_equal(last.record.actor, addr));
    cr_assert_str_eq(last.class_name, "speaker");
    cr_assert_str_eq(last.file, "test_log.c", "without its folders");
    cr_assert_gt(last.record.line, 0);
    cr_assert_eq(last.record.clock_ns, now);
    cr_assert_eq(last.record.worker, 0);
    must(th_log_write(ts.me, TH_LOG_ERROR, NULL, NULL, 0, "from outside"));
    flush();
    cr_assert(th_addr_equal(last.record.actor, th_self_addr(ts.me)));
    cr_assert_str_eq(last.class_name, "");
    cr_assert_str_eq(last.file, "none");
    cr_assert_eq(last.record.worker, -1);
    cr_assert_eq(last.record.number, 2);
}

/* ---- how much of it ---- */

/* Without a site a flood is told from another by who says what. */
Test(log_record, one_flood_does_not_drown_another_word, .init = open_system, .fini = close_system)
{
    th_err err = TH_OK;
    unsigned taken = 0;

    for (int i = 0; i < 3 * TH_LOG_RATE_DEFAULT && err == TH_OK; i++, taken += !err)
        err = th_log_write(ts.me, TH_LOG_WARN, NULL, NULL, 0, "again");
    cr_assert_eq(err, TH_E_LIMIT);
    cr_assert_geq(taken, TH_LOG_RATE_DEFAULT);
    must(th_log_write(ts.me, TH_LOG_WARN, NULL, NULL, 0, "something else"));
    cr_assert_eq(th_log_write(ts.me, TH_LOG_WARN, NULL, NULL, 0, "again"), TH_E_LIMIT);
    must(th_advance(ts.sys, TH_S(2)));
    must(th_log_write(ts.me, TH_LOG_WARN, NULL, NULL, 0, "again"));
    flush();
    cr_assert_eq(last.count, taken + 2);
}
