/* tests of troupe/topic_name.c */
#include <thespis/topic.h>

#include <criterion/criterion.h>
#include <string.h>

static const struct {
    const char *filter, *topic;
    bool matches;
} pairs[] = {
    /* the examples of MQTT 5.0, 4.7 */
    { "sport/tennis/player1/#", "sport/tennis/player1", true },
    { "sport/tennis/player1/#", "sport/tennis/player1/ranking", true },
    { "sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true },
    { "sport/#", "sport", true },
    { "#", "sport/tennis", true },
    { "sport/tennis/+", "sport/tennis/player1", true },
    { "sport/tennis/+", "sport/tennis/player1/ranking", false },
    { "sport/+", "sport", false },
    { "sport/+", "sport/", true },
    { "+/+", "/finance", true },
    { "/+", "/finance", true },
    { "+", "/finance", false },
    { "#", "$SYS/broker", false },
    { "+/monitor/Clients", "$SYS/monitor/Clients", false },
    { "$SYS/#", "$SYS/monitor", true },
    { "$SYS/monitor/+", "$SYS/monitor/Clients", true },
    /* and some more */
    { "a", "a", true },
    { "a", "b", false },
    { "a", "ab", false },
    { "ab", "a", false },
    { "a/b", "a", false },
    { "a", "a/b", false },
    { "+/b/#", "a/b", true },
    { "+/b/#", "a/c", false },
    { "+/#", "a", true },
    { "a//b", "a//b", true },
    { "a/+/b", "a//b", true },
    { "a/$b", "a/$b", true },
    { "a/+", "a/$b", true },
    { "a/#/b", "a/x/b", false }, /* no filter */
    { "a", "+", false },         /* no name */
};

Test(topic_name, matches_as_mqtt_says)
{
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        cr_assert_eq(th_topic_matches(pairs[i].filter, pairs[i].topic), pairs[i].matches,
                     "%s and %s", pairs[i].filter, pairs[i].topic);
    cr_assert_not(th_topic_matches(NULL, "a"));
    cr_assert_not(th_topic_matches("a", NULL));
}

Test(topic_name, names_have_no_wildcards)
{
    static const char *const good[] = { "a", "/", "//", "a/b", "$a", " ", "a b/c" };
    static const char *const bad[] = { "", "+", "#", "a/+", "a+", "a#b", "a/#" };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        cr_assert(th_topic_is_name(good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_not(th_topic_is_name(bad[i]), "%s", bad[i]);
    cr_assert_not(th_topic_is_name(NULL));
}

Test(topic_name, wildcards_have_a_level_for_themselves)
{
    static const char *const good[] = { "a", "+", "#", "a/+", "+/a", "+/+/#", "a/#", "/#" };
    static const char *const bad[] = { "", "a+", "+a", "a/b+", "#/a", "a#", "##", "a/#/b", "/#/" };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        cr_assert(th_topic_is_filter(good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_not(th_topic_is_filter(bad[i]), "%s", bad[i]);
    cr_assert_not(th_topic_is_filter(NULL));
}

Test(topic_name, have_bounds)
{
    char text[TH_TOPIC_SIZE + 1];

    memset(text, 'a', sizeof(text));
    cr_assert_not(th_topic_is_name(text), "no NUL where it has to be");
    text[TH_TOPIC_SIZE - 1] = '\0';
    cr_assert(th_topic_is_name(text));
    memset(text, '/', TH_TOPIC_LEVELS_MAX);
    text[TH_TOPIC_LEVELS_MAX] = '\0';
    cr_assert_not(th_topic_is_filter(text), "one level too many");
    text[TH_TOPIC_LEVELS_MAX - 1] = '\0';
    cr_assert(th_topic_is_filter(text));
}
