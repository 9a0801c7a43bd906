/* value.h: values of facts, compared. */
#ifndef THI_BASE_VALUE_H
#define THI_BASE_VALUE_H

#include <thespis/capability.h>

/* Equal, and of one kind throughout: 1 is not 1.0. What a new value must not be to be a change. */
bool thi_value_identical(const th_value *a, const th_value *b);

/* Their order in *@order_out, as strcmp(); false: they have none. */
bool thi_value_compare(const th_value *a, const th_value *b, int *order_out);

#endif
