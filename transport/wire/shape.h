/* shape.h: what a type's table says, as text: two systems mean the same by a type when its name and
 * this are equal to the last byte.
 *
 *     {x:i32,y:i32}                    scalars
 *     {name:chars[16],at:{x:i32,y:i32},hops:addr[4],spans:{a:u8,b:u8}[2]}
 *     {id:u64}+                        a rest behind the struct
 *     {}                               a signal
 *
 * A nested struct is there with its fields, not by its name: what is called differently and is the
 * same on the wire is the same. */
#ifndef TRANSPORT_WIRE_SHAPE_H
#define TRANSPORT_WIRE_SHAPE_H

#include <stddef.h>

#include <thespis/type.h>

/** Writes the shape of @type, which th_type_check() has passed. As snprintf(). */
size_t thi_shape_write(const th_type *type, char *text, size_t size);

#endif
