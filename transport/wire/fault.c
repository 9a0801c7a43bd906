/* fault.c: words, cut to size and made plain. */
#include "transport/wire/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "transport/wire/text.h"

void thi_fault_set(struct thi_fault *fault, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (vsnprintf(fault->words, sizeof(fault->words), format, args) < 0)
        fault->words[0] = '\0';
    va_end(args);
    thi_text_tame(fault->words);
}

void thi_fault_in(struct thi_fault *fault, const char *where)
{
    size_t length = strlen(where);
    size_t words = strlen(fault->words);
    size_t room = sizeof(fault->words) - 1;

    if (length + 2 > room)
        return;
    if (words > room - length - 2)
        words = room - length - 2;
    memmove(fault->words + length + 2, fault->words, words);
    memcpy(fault->words, where, length);
    memcpy(fault->words + length, ": ", 2);
    fault->words[length + 2 + words] = '\0';
    thi_text_tame(fault->words);
}
