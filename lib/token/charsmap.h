/* SPDX-License-Identifier: MIT
 * charsmap.h - SentencePiece's compiled rules of normalisation: bytes to bytes, found in a double-array trie.
 *
 *     u32 bytes of the trie | units of the trie, u32 | texts, each ended by a zero
 *
 * A unit: bit 8 a rule ends here, bits 10 to 30 (times 256 with bit 9) the step to the children, bits 0 to 7 and 31
 * the byte that leads here.  A rule's unit is the place of its text.  All little-endian.  Aoe, "An efficient digital
 * search algorithm by using a double-array structure", 1989; the layout is darts-clone's. */
#ifndef MO_TOKEN_CHARSMAP_H
#define MO_TOKEN_CHARSMAP_H

#include "base/buf.h"
#include "token/unicode.h"

/* Points into the bytes it was opened from.  {0}: no rules. */
typedef struct mo_charsmap {
    const unsigned char *unit; /* 4 bytes each */
    size_t n_units;
    const char *text;
    size_t n_text;
} mo_charsmap;

/* Checks lengths, the place of every rule's text, at most 1024 bytes of it, and that texts are UTF-8.  Empty bytes: no
 * rules. */
mopd_status mo_charsmap_open(mo_charsmap *map, const void *bytes, size_t n_bytes, const char *name);

/* Bytes of text that the longest rule there covers, 0 when none does; its text in *to, *n_to bytes. */
size_t mo_charsmap_longest(const mo_charsmap *map, const char *text, size_t n, const char **to, size_t *n_to);

/* Appends text as the tokenizers library normalises it, which is not SentencePiece's way: a cluster of less than six
 * bytes that any rule begins is replaced by the shortest rule's text, the rest of it lost; else each character is.
 * text must be UTF-8. */
mopd_status mo_charsmap_clusters(const mo_charsmap *map, const char *text, size_t n, mo_buf *out);

#endif
