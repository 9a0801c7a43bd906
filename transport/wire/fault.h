/* fault.h: what was wrong with some bytes, in words that a person can act on. */
#ifndef TRANSPORT_WIRE_FAULT_H
#define TRANSPORT_WIRE_FAULT_H

#include <thespis/compiler.h>
#include <thespis/config.h>

/** Written only when something was wrong: on success the words are what they were. They are plain
 * text (text.h), and may travel. */
struct thi_fault {
    char words[TH_WIRE_WORDS_MAX + 1];
};

/** Sets the words, as printf(); what is too long is cut. */
void thi_fault_set(struct thi_fault *fault, const char *format, ...) TH_PRINTF(2, 3);

/** Puts "@where: " in front of the words. @where [lend]: the name of a field, of a type. */
void thi_fault_in(struct thi_fault *fault, const char *where);

#endif
