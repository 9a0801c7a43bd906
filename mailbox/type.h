/* type.h: what this floor knows of message types beyond the front door. */
#ifndef MAILBOX_TYPE_H
#define MAILBOX_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include <thespis/type.h>

#define THI_KINDS (TH_KIND_nested + 1)

/* Most rows of one table: checking compares each name with each other one. */
#define THI_FIELDS_MAX 1024

/** Bytes of one element of @kind; 0: it depends (nested), or @kind is none. */
uint32_t thi_kind_size(th_kind kind);

/** Whether an element of @kind makes its message own something. One test of a bit, since every
 * message that owns something is walked by it at its end. */
static inline bool thi_kind_owns(th_kind kind)
{
    const unsigned owning = 1u << TH_KIND_str | 1u << TH_KIND_bytes | 1u << TH_KIND_msg;

    return owning >> kind & 1;
}

#endif
