#include "runtime/base/log_rules.h"

#include <string.h>

/* On a mismatch the last * takes one character more: linear for one *, quadratic at worst, and
 * never recursive. */
bool thi_log_pattern_fits(const char *pattern, const char *text)
{
    const char *star = NULL, *retry = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            retry = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static void trim(const char **from, const char **to)
{
    while (*from < *to && (**from == ' ' || **from == '\t'))
        ++*from;
    while (*to > *from && ((*to)[-1] == ' ' || (*to)[-1] == '\t'))
        --*to;
}

static th_err parse_level(const char *from, const char *to, th_log_level *level_out)
{
    char name[16];
    size_t length;
    th_err err;

    trim(&from, &to);
    length = (size_t)(to - from);
    if (length == 0 || length >= sizeof(name))
        return TH_E_PARSE;
    memcpy(name, from, length);
    name[length] = '\0';
    err = th_log_level_parse(name, level_out);
    return !err && *level_out == TH_LOG_DEFAULT ? TH_E_PARSE : err;
}

/* One piece between commas. */
static th_err parse_rule(struct thi_log_rules *rules, const char *from, const char *to)
{
    const char *equals = memchr(from, '=', (size_t)(to - from)), *end = equals;
    struct thi_log_rule *rule = &rules->rules[rules->rule_count];
    size_t length;

    if (!equals)
        return parse_level(from, to, &rules->threshold);
    if (rules->rule_count == TH_LOG_RULES_MAX)
        return TH_E_LIMIT;
    trim(&from, &end);
    length = (size_t)(end - from);
    if (length >= sizeof(rule->pattern))
        return TH_E_PARSE;
    memcpy(rule->pattern, from, length);
    rule->pattern[length] = '\0';
    rules->rule_count++;
    return parse_level(equals + 1, to, &rule->level);
}

th_err thi_log_rules_parse(struct thi_log_rules *rules, const char *text)
{
    struct thi_log_rules parsed = *rules;
    th_err err = TH_OK;

    parsed.rule_count = 0;
    while (!err) {
        size_t length = strcspn(text, ",");
        const char *from = text, *to = text + length;

        trim(&from, &to);
        if (from < to)
            err = parse_rule(&parsed, from, to);
        if (!text[length])
            break;
        text += length + 1;
    }
    if (!err)
        *rules = parsed;
    return err;
}

th_err thi_log_rules_set_actor(struct thi_log_rules *rules, th_addr actor, th_log_level level)
{
    uint32_t i = 0;

    while (i < rules->actor_count && !th_addr_equal(rules->actors[i].actor, actor))
        i++;
    if (level == TH_LOG_DEFAULT) {
        if (i < rules->actor_count)
            rules->actors[i] = rules->actors[--rules->actor_count];
        return TH_OK;
    }
    if (i == TH_LOG_ACTORS_MAX)
        return TH_E_LIMIT;
    if (i == rules->actor_count)
        rules->actor_count++;
    rules->actors[i].actor = actor;
    rules->actors[i].level = level;
    return TH_OK;
}

th_log_level thi_log_rules_find(const struct thi_log_rules *rules, th_addr actor,
                                const char *class_name)
{
    for (uint32_t i = 0; i < rules->actor_count; i++)
        if (th_addr_equal(rules->actors[i].actor, actor))
            return rules->actors[i].level;
    for (uint32_t i = 0; i < rules->rule_count; i++)
        if (thi_log_pattern_fits(rules->rules[i].pattern, class_name))
            return rules->rules[i].level;
    return rules->threshold;
}
