/* router_start.h: what router_spec.c makes of options, and router.c is given at init. */
#ifndef THI_TROUPE_ROUTER_START_H
#define THI_TROUPE_ROUTER_START_H

#include <thespis/router.h>

#define THI_ROUTER_START_FIELDS(F, S)                                                              \
    F(S, u32, routing)                                                                             \
    F(S, u64, klass) /* the user's th_class, as a number, or 0: local */                           \
    F(S, msg, arg)                                                                                 \
    F(S, u32, children)                                                                            \
    F(S, bytes, routees) /* th_addr, each; or NULL */                                              \
    F(S, u32, routees_max)                                                                         \
    F(S, u32, waiting_max)                                                                         \
    F(S, u64, key) /* th_router_key_of as a number, or 0 */                                        \
    F(S, str, key_field)                                                                           \
    F(S, u64, backoff_min_ns)                                                                      \
    F(S, u64, backoff_max_ns)
TH_MESSAGE(thi_router_start, THI_ROUTER_START_FIELDS);

extern const th_class thi_router_class;

#endif
