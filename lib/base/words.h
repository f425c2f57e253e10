/* SPDX-License-Identifier: MIT
 * words.h - lists of words that stand for the numbers 0, 1, 2 ... in files, messages and options. */
#ifndef MO_BASE_WORDS_H
#define MO_BASE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The text of a number that a macro names, so that messages and tables do not write it a second time. */
#define MO_WORDS_OF(macro) MO_WORDS_OF_IT(macro)
#define MO_WORDS_OF_IT(number) #number

/* The number that a word stands for; -1 when the list does not have it. */
int32_t mo_words_find(const char *const *words, size_t n, const char *word);

/* Whether they are the same but for the case of A to Z; whether a text begins with a word like that. */
bool mo_words_alike(const char *a, const char *b);
bool mo_words_begins(const char *text, const char *word);

/* out = "one, two, three" for a message, cut where the room (bytes, at least 1) ends. */
void mo_words_join(const char *const *words, size_t n, char *out, size_t room);

#endif
