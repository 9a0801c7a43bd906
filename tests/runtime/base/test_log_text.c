/* A record is one line, whatever is in it. */
#include "runtime/base/log_text.h"

#include <criterion/criterion.h>

#include "runtime/base/log_sink.h"
#include "runtime/base/random.h"
#include "tests/support/json.h"

static char line[THI_LOG_LINE_SIZE];

static const char *print(const th_log_record *record, th_log_format format)
{
    cr_assert_lt(th_log_record_print(record, format, line, sizeof(line)), sizeof(line));
    return line;
}

static th_log_record simple(const char *text)
{
    return (th_log_record){ .time_ns = 951826332123456789ull,
                            .level = TH_LOG_WARN,
                            .class_name = "c",
                            .system = "s",
                            .worker = -1,
                            .text = text,
                            .text_size = strlen(text) };
}

Test(log_text, a_line_of_text)
{
    th_log_field fields[] = { th_kv_str("a", "plain"), th_kv_str("b", "two words"),
                              th_kv_i64("n", -7),      th_kv_bool("t", true),
                              th_kv_f64("f", 0.5),     th_kv_str("e", "") };
    th_log_record record = simple("one\ntwo\x01\xff");

    record.fields = fields;
    record.field_count = 6;
    record.file = "x.c";
    record.line = 3;
    record.suppressed = 2;
    cr_assert_str_eq(print(&record, TH_LOG_FORMAT_TEXT),
                     "2000-02-29T12:12:12.123456Z warn     [- c] one\\ntwo\\x01\\xff a=plain "
                     "b=\"two words\" n=-7 t=true f=0.5 e=\"\" (+2 suppressed) (x.c:3)");
}

Test(log_text, a_line_of_json)
{
    th_log_field fields[] = { th_kv_f64("nan", 0.0 / 0.0), th_kv_str("q", "\"\\\x7f") };
    th_log_record record = simple("\xf0\x9f\x98\x80 \xed\xa0\x80\n");

    record.fields = fields;
    record.field_count = 2;
    print(&record, TH_LOG_FORMAT_JSON);
    cr_assert(json_is_valid(line), "%s", line);
    cr_assert_not_null(strstr(line, "\"text\":\"\xf0\x9f\x98\x80 \\ufffd\\ufffd\\ufffd\\n\""));
    cr_assert_not_null(strstr(line, "\"nan\":\"nan\",\"q\":\"\\\"\\\\\\u007f\""));
    cr_assert(json_says(line, "level", "warn"));
}

Test(log_text, utf8_is_what_unicode_says)
{
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {
        { "a", 1 },
        { "\xc3\xa9", 2 },
        { "\xc0\x80", 0 },
        { "\xe0\x9f\xbf", 0 },
        { "\xe0\xa0\x80", 3 },
        { "\xed\xa0\x80", 0 },
        { "\xee\x80\x80", 3 },
        { "\xf0\x8f\xbf\xbf", 0 },
        { "\xf4\x8f\xbf\xbf", 4 },
        { "\x80", 0 },
        { "\xf4\x90\x80\x80", 0 },
        { "\xf5\x80\x80\x80", 0 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_expect_eq(thi_utf8_length((const unsigned char *)cases[i].bytes, strlen(cases[i].bytes)),
                     cases[i].length, "case %zu", i);
    cr_assert_eq(thi_utf8_length((const unsigned char *)"\xc3", 1), 0);
}

static size_t random_bytes(struct thi_random *random, char *bytes, size_t most)
{
    size_t size = thi_random_below(random, most);
    bool is_wild = thi_random_below(random, 2) == 0;

    for (size_t i = 0; i < size; i++)
        bytes[i] =
            (char)(is_wild
                       ? thi_random_below(random, 256)
                       : (uint64_t) "\"\\\n\t{}[]:,a\xc3\xa9 =\x1b"[thi_random_below(random, 17)]);
    bytes[size] = '\0';
    return size;
}

/* Whether @text is one line of UTF-8 without control characters. */
static bool is_a_line(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at) {
        size_t length = thi_utf8_length(at, strlen((const char *)at));

        if (length == 0 || *at < 0x20 || *at == 0x7f)
            return false;
        at += length;
    }
    return true;
}

Test(log_text, anything_makes_a_valid_line, .timeout = 50)
{
    enum { ROUNDS = 20000, FIELDS = 4 };
    static char text[400], keys[FIELDS][64], values[FIELDS][200];
    struct thi_random random;

    thi_random_init(&random, 20261123);
    for (int round = 0; round < ROUNDS; round++) {
        th_log_field fields[FIELDS];
        th_log_record record = simple("");

        record.text = text;
        record.text_size = random_bytes(&random, text, sizeof(text));
        record.level = (th_log_level)thi_random_below(&random, 9);
        record.worker = (int32_t)thi_random_below(&random, 3) - 1;
        record.time_ns = thi_random_next(&random);
        record.actor = (th_addr){ thi_random_below(&random, 2), 1, 2 };
        record.fields = fields;
        record.field_count = (uint32_t)thi_random_below(&random, FIELDS + 1);
        for (int i = 0; i < FIELDS; i++) {
            size_t size = random_bytes(&random, values[i], sizeof(values[i]));
            uint64_t bits = thi_random_next(&random);
            double number;

            random_bytes(&random, keys[i], sizeof(keys[i]));
            memcpy(&number, &bits, sizeof(number));
            switch (thi_random_below(&random, 4)) {
            case 0: fields[i] = th_kv_bytes(keys[i], values[i], size); break;
            case 1: fields[i] = th_kv_f64(keys[i], number); break;
            case 2: fields[i] = th_kv_i64(keys[i], (int64_t)bits); break;
            default: fields[i] = th_kv_str(NULL, NULL); break;
            }
        }
        print(&record, TH_LOG_FORMAT_TEXT);
        cr_assert(is_a_line(line), "round %d: %s", round, line);
        print(&record, TH_LOG_FORMAT_JSON);
        cr_assert(is_a_line(line), "round %d: %s", round, line);
        cr_assert(json_is_valid(line), "round %d: %s", round, line);
    }
}

Test(log_text, what_does_not_fit_is_counted)
{
    th_log_record record = simple("some text");
    char small[16];
    size_t full = th_log_record_print(&record, TH_LOG_FORMAT_TEXT, NULL, 0);

    cr_assert_eq(th_log_record_print(&record, TH_LOG_FORMAT_TEXT, small, sizeof(small)), full);
    cr_assert_eq(strlen(small), sizeof(small) - 1);
}
