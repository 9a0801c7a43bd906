/* error.c: the texts that error.h and msg.h promise, grown from their one-line maps. */
#include <stddef.h>
#include <stdio.h>

#include <thespis/error.h>
#include <thespis/msg.h>

/* A text for @value out of @texts, or @unknown: a value may come from anywhere, so it is checked
 * as the integer it is. */
static const char *text_of(const char *const *texts, size_t count, size_t value,
                           const char *unknown)
{
    return value < count ? texts[value] : unknown;
}

const char *th_strerror(th_err err)
{
    static const char *const texts[TH_ERR_COUNT] = { [TH_OK] = "success",
#define XX(name, text) [TH_E_##name] = text,
                                                     TH_ERR_MAP(XX)
#undef XX
    };

    return text_of(texts, TH_ERR_COUNT, (size_t)err, "not an error of libthespis");
}

const char *th_err_name(th_err err)
{
    static const char *const names[TH_ERR_COUNT] = { [TH_OK] = "TH_OK",
#define XX(name, text) [TH_E_##name] = "TH_E_" #name,
                                                     TH_ERR_MAP(XX)
#undef XX
    };

    return text_of(names, TH_ERR_COUNT, (size_t)err, "TH_E_?");
}

const char *th_exit_reason_text(th_exit_reason reason)
{
    static const char *const texts[TH_EXIT_COUNT] = {
#define XX(name, text) [TH_EXIT_##name] = text,
        TH_EXIT_MAP(XX)
#undef XX
    };

    return text_of(texts, TH_EXIT_COUNT, (size_t)reason, "not an exit reason of libthespis");
}

bool th_exit_is_failure(th_exit_reason reason)
{
    switch (reason) {
    case TH_EXIT_INIT:
    case TH_EXIT_CAPABILITY:
    case TH_EXIT_FAILED:
    case TH_EXIT_ERROR:
    case TH_EXIT_CONDEMNED:
    case TH_EXIT_LINK:
    case TH_EXIT_GONE: return true;
    case TH_EXIT_NORMAL:
    case TH_EXIT_REQUESTED:
    case TH_EXIT_PARENT:
    case TH_EXIT_TRANSIENT:
    case TH_EXIT_SHUTDOWN:
    case TH_EXIT_COUNT: break;
    }
    return false;
}

size_t th_exit_describe(th_exit_reason reason, th_err err, const char *details, char *text,
                        size_t size)
{
    int length =
        snprintf(text, text ? size : 0, "%s%s%s%s%s", th_exit_reason_text(reason), err ? ": " : "",
                 err ? th_strerror(err) : "", details ? ": " : "", details ? details : "");

    return length > 0 ? (size_t)length : 0;
}

const char *th_dead_reason_text(th_dead_reason reason)
{
    static const char *const texts[TH_DEAD_COUNT] = {
#define XX(name, text) [TH_DEAD_##name] = text,
        TH_DEAD_MAP(XX)
#undef XX
    };

    return text_of(texts, TH_DEAD_COUNT, (size_t)reason, "not a dead reason of libthespis");
}
