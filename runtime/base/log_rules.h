/* log_rules.h: from who speaks to what is worth logging. Pure; whoever shares one guards it. */
#ifndef THI_BASE_LOG_RULES_H
#define THI_BASE_LOG_RULES_H

#include <thespis/config.h>
#include <thespis/log.h>

enum { THI_LOG_PATTERN_SIZE = 64 };

struct thi_log_rule {
    char pattern[THI_LOG_PATTERN_SIZE];
    th_log_level level;
};

struct thi_log_rules {
    th_log_level threshold;
    uint32_t rule_count;
    struct thi_log_rule rules[TH_LOG_RULES_MAX];
    uint32_t actor_count;
    struct {
        th_addr actor;
        th_log_level level;
    } actors[TH_LOG_ACTORS_MAX];
};

/* Reads "level" and "pattern=level" by commas over what is in @rules: the patterns replace those
 * that were there, the threshold changes if one is given. TH_E_PARSE, TH_E_LIMIT: *@rules is as it
 * was. */
TH_NODISCARD th_err thi_log_rules_parse(struct thi_log_rules *rules, const char *text);

/* TH_E_LIMIT. */
TH_NODISCARD th_err thi_log_rules_set_actor(struct thi_log_rules *rules, th_addr actor,
                                            th_log_level level);

/* TRACE to OFF. */
th_log_level thi_log_rules_find(const struct thi_log_rules *rules, th_addr actor,
                                const char *class_name);

/* * is any text, ? any character. */
bool thi_log_pattern_fits(const char *pattern, const char *text);

#endif
