/* topic_name.c: what topics and filters look like, and when they match. */
#include <thespis/topic.h>

#include <string.h>

/* @wild: wildcards are allowed. Looks at TH_TOPIC_SIZE bytes at most. */
static bool is_good(const char *text, bool wild)
{
    size_t length = text ? strnlen(text, TH_TOPIC_SIZE) : 0, levels = 1;

    if (length == 0 || length == TH_TOPIC_SIZE)
        return false;
    for (size_t i = 0; i < length; i++) {
        bool first = i == 0 || text[i - 1] == '/', last = i + 1 == length || text[i + 1] == '/';

        levels += text[i] == '/';
        if (text[i] != '+' && text[i] != '#')
            continue;
        if (!wild || !first || !last || (text[i] == '#' && i + 1 != length))
            return false;
    }
    return levels <= TH_TOPIC_LEVELS_MAX;
}

bool th_topic_is_name(const char *topic)
{
    return is_good(topic, false);
}

bool th_topic_is_filter(const char *filter)
{
    return is_good(filter, true);
}

bool th_topic_matches(const char *filter, const char *topic)
{
    if (!th_topic_is_filter(filter) || !th_topic_is_name(topic))
        return false;
    if (*topic == '$' && (*filter == '+' || *filter == '#'))
        return false;
    for (;;) {
        size_t wanted = strcspn(filter, "/"), there = strcspn(topic, "/");

        if (*filter == '#')
            return true;
        if (*filter != '+' && (wanted != there || memcmp(filter, topic, there) != 0))
            return false;
        filter += wanted;
        topic += there;
        if (!*topic)
            return !*filter || strcmp(filter, "/#") == 0;
        if (!*filter)
            return false;
        filter++;
        topic++;
    }
}
