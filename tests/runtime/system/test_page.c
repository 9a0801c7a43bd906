/* One writer for text and JSON. */
#include "runtime/system/page.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/support/json.h"

static char text[4096];
static struct thi_page_memory memory;

static struct thi_page open_page(th_status_format format)
{
    struct thi_page page;

    memory = (struct thi_page_memory){ text, sizeof(text), 0 };
    thi_page_begin(&page, format, thi_page_to_memory, &memory);
    return page;
}

static void close_page(struct thi_page *page)
{
    thi_page_end(page);
    thi_page_memory_end(&memory);
}

/* The same facts in either format. */
static void write_facts(struct thi_page *page)
{
    th_addr addr = { 0xabc, 7, 3 };

    thi_page_open(page, NULL, NULL);
    thi_page_open(page, "group", NULL);
    thi_page_count(page, "count", "how many", 12);
    thi_page_count(page, "lost", "who knows", THI_UNKNOWN);
    thi_page_limit(page, "held", "held", 3, 10);
    thi_page_limit(page, "free", "free", 4, 0);
    thi_page_yes(page, "on", "it is on", true);
    thi_page_time(page, "age_ns", "age", 1500);
    thi_page_share(page, "busy", "busy", 345);
    thi_page_addr(page, "who", "who", addr);
    thi_page_addr(page, "nobody", "nobody", th_addr_none());
    thi_page_close(page);
    thi_page_list(page, "things", "Things");
    for (uint64_t i = 0; i < 2; i++) {
        thi_page_row(page);
        thi_page_text(page, "name", NULL, i ? "second" : "first");
        thi_page_count(page, "nth", "nth", i);
        thi_page_list(page, "parts", NULL);
        thi_page_row(page);
        thi_page_count(page, "size", "size", i);
        thi_page_row_close(page);
        thi_page_list_close(page);
        thi_page_row_close(page);
    }
    thi_page_list_close(page);
    thi_page_close(page);
}

Test(page, says_the_same_in_text_and_json)
{
    struct thi_page page = open_page(TH_STATUS_TEXT);

    write_facts(&page);
    close_page(&page);
    cr_assert_str_eq(text, "  how many                     12\n"
                           "  who knows                    ?\n"
                           "  held                         3 of 10\n"
                           "  free                         4, no limit\n"
                           "  it is on                     yes\n"
                           "  age                          1.50 us\n"
                           "  busy                         34.5 %\n"
                           "  who                          0000000000000abc.7.3\n"
                           "  nobody                       ?\n"
                           "Things\n"
                           "  first, nth 0\n"
                           "    size 0\n"
                           "  second, nth 1\n"
                           "    size 1\n");
    page = open_page(TH_STATUS_JSON);
    write_facts(&page);
    close_page(&page);
    cr_assert_str_eq(text, "{\"group\":{\"count\":12,\"lost\":null,\"held\":3,\"held_max\":10,"
                           "\"free\":4,\"free_max\":null,\"on\":true,\"age_ns\":1500,"
                           "\"busy\":0.345,\"who\":\"0000000000000abc.7.3\",\"nobody\":null},"
                           "\"things\":[{\"name\":\"first\",\"nth\":0,\"parts\":[{\"size\":0}]},"
                           "{\"name\":\"second\",\"nth\":1,\"parts\":[{\"size\":1}]}]}\n");
    cr_assert(json_is_valid(text));
}

Test(page, any_bytes_make_valid_json)
{
    static const char *const names[] = { "",
                                         "\"quoted\\",
                                         "line\nand\ttab\x01",
                                         "gr\xc3\xbc\xc3\x9f",
                                         "\xff\xc3",
                                         "\xed\xa0\x80",
                                         "\xf0\x9f\x99\x82",
                                         "\xf4\x90\x80\x80",
                                         "\xe0\x80\xaf",
                                         "\xc0\xaf" };
    struct thi_page page = open_page(TH_STATUS_JSON);

    thi_page_list(&page, NULL, NULL);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        thi_page_row(&page);
        thi_page_text(&page, names[i], NULL, names[i]);
        thi_page_row_close(&page);
    }
    thi_page_list_close(&page);
    close_page(&page);
    cr_assert(json_is_valid(text), "%s", text);
    cr_assert_not_null(strstr(text, "\"\\\"quoted\\\\\""));
    cr_assert_not_null(strstr(text, "line\\u000aand\\u0009tab\\u0001"));
    cr_assert_not_null(strstr(text, "\"gr\xc3\xbc\xc3\x9f\""), "UTF-8 stays");
    cr_assert_not_null(strstr(text, "\"\\ufffd\\ufffd\""), "what is none does not");
    cr_assert_not_null(strstr(text, "\"\xf0\x9f\x99\x82\""));
    cr_assert_null(strstr(text, "\xed\xa0"));
    cr_assert_null(strstr(text, "\xf4\x90"));
}

Test(page, text_stays_on_its_line)
{
    struct thi_page page = open_page(TH_STATUS_TEXT);

    thi_page_text(&page, "name", "name", "two\nlines\x1b[31m");
    close_page(&page);
    cr_assert_str_eq(text, "  name                         two?lines?[31m\n");
}

Test(page, times_have_a_unit_that_fits)
{
    struct thi_page page = open_page(TH_STATUS_TEXT);

    thi_page_row(&page);
    thi_page_time(&page, "a", NULL, 999);
    thi_page_time(&page, "b", NULL, 1000);
    thi_page_time(&page, "c", NULL, 2500000);
    thi_page_time(&page, "d", NULL, 61999999999);
    thi_page_time(&page, "e", NULL, THI_UNKNOWN);
    thi_page_row_close(&page);
    close_page(&page);
    cr_assert_str_eq(text, "  999 ns, 1.00 us, 2.50 ms, 61.999 s\n");
}

Test(page, what_does_not_fit_is_counted)
{
    char little[10];
    struct thi_page page;

    memory = (struct thi_page_memory){ little, sizeof(little), 0 };
    thi_page_begin(&page, TH_STATUS_TEXT, thi_page_to_memory, &memory);
    for (int i = 0; i < 100; i++)
        thi_page_count(&page, "n", "n", 1);
    thi_page_end(&page);
    cr_assert_eq(thi_page_memory_end(&memory), 100 * strlen("  n                            1\n"));
    cr_assert_str_eq(little, "  n      ");
}
