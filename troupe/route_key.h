/* route_key.h: a message's key, by the name of a field.
 *
 * A field is looked for once per message type; the last few types are remembered, which for most
 * routers is all there are. Pure: no actors, no memory. */
#ifndef THI_TROUPE_ROUTE_KEY_H
#define THI_TROUPE_ROUTE_KEY_H

#include <thespis/msg.h>

enum { THI_ROUTE_KEY_TYPES = 8 };

struct thi_route_key {
    const char *name; /* [keep] */
    struct {
        const th_type *type;
        const th_field *field; /* NULL: it has none that can be a key */
    } known[THI_ROUTE_KEY_TYPES];
    uint32_t next; /* to be forgotten */
};

void thi_route_key_init(struct thi_route_key *key, const char *name);

/** Equal values of the field are equal keys: of numbers and addresses by value, of text and byte
 * ranges by their bytes. false: messages of that type have no such field, or one of a kind that has
 * no value of its own (msg, nested). */
bool thi_route_key_of(struct thi_route_key *key, const th_msg *msg, uint64_t *key_out);

#endif
