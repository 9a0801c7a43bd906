/* runtime/system/page_message.c: what a message says, as facts of a page: its fields, by their
 * table. So an actor that answers a question about itself need not say it twice. */
#include <stdio.h>
#include <string.h>

#include "runtime/system/page.h"
#include <thespis/msg.h>

static bool is_count(const th_field *field)
{
    return field->count == 1 && (field->kind == TH_KIND_u8 || field->kind == TH_KIND_u16 ||
                                 field->kind == TH_KIND_u32 || field->kind == TH_KIND_u64);
}

static uint64_t count_at(const char *body, const th_field *field)
{
    uint64_t wide = 0;
    uint32_t u32;
    uint16_t u16;
    uint8_t u8;

    switch (field->size) {
    case sizeof(u8): memcpy(&u8, body + field->offset, sizeof(u8)); return u8;
    case sizeof(u16): memcpy(&u16, body + field->offset, sizeof(u16)); return u16;
    case sizeof(u32): memcpy(&u32, body + field->offset, sizeof(u32)); return u32;
    default: memcpy(&wide, body + field->offset, sizeof(wide)); return wide;
    }
}

/* "idle_max" is "idle max". */
static const char *words_of(const char *name, char words[static 64])
{
    snprintf(words, 64, "%s", name);
    for (char *c = words; *c; c++)
        if (*c == '_')
            *c = ' ';
    return words;
}

void thi_page_message(struct thi_page *page, const th_msg *msg)
{
    const th_type *type = th_msg_type(msg);
    const char *body = th_msg_body((th_msg *)(uintptr_t)msg);

    for (uint32_t i = 0; type && body && i < type->field_count; i++) {
        const th_field *field = &type->fields[i];
        char words[64];
        bool yes;

        if (is_count(field)) {
            thi_page_count(page, field->name, words_of(field->name, words), count_at(body, field));
        } else if (field->kind == TH_KIND_bool_ && field->count == 1) {
            memcpy(&yes, body + field->offset, sizeof(yes));
            thi_page_yes(page, field->name, words_of(field->name, words), yes);
        } else if (field->kind == TH_KIND_chars) {
            thi_page_text(page, field->name, words_of(field->name, words), body + field->offset);
        }
    }
}
