/* SPDX-License-Identifier: MIT
 * unicode.h - what the tokenizer needs of Unicode: NFC, lower case, letter/number/space.
 *
 * The reference mixes three Unicode versions: NFC as of 9 (a Rust crate), classes as of 16 (Oniguruma),
 * lower case as of 17 (Rust).  utf8proc gives the bulk, small tables in unicode.c the differences. */
#ifndef MO_TOKEN_UNICODE_H
#define MO_TOKEN_UNICODE_H

#include "base/mem.h"

typedef enum mo_uclass { MO_U_OTHER, MO_U_LETTER, MO_U_NUMBER, MO_U_SPACE } mo_uclass;

/* A growing row of code points; start from {0}, end with mo_mem_free(cps.cp). */
typedef struct mo_unicode_cps {
    uint32_t *cp;
    size_t n;
    size_t cap;
} mo_unicode_cps;

/* \p{L}, \p{N}, \s of Oniguruma. */
mo_uclass mo_unicode_class(uint32_t cp);

/* Lower case of one character, 1 or 2 code points into out; how many. */
size_t mo_unicode_lower(uint32_t cp, uint32_t out[2]);

/* Upper case of one character as one character. */
uint32_t mo_unicode_upper(uint32_t cp);

/* What a character is to the rule of the final sigma: a letter that has a case, one to look past, or neither. */
typedef enum mo_ucase { MO_U_UNCASED, MO_U_CASED, MO_U_IGNORABLE } mo_ucase;
mo_ucase mo_unicode_case(uint32_t cp);

/* cps (emptied first) = the NFC of text, which must be UTF-8: of the reference's Unicode, and of utf8proc's own. */
mopd_status mo_unicode_nfc(const char *text, size_t n_bytes, mo_unicode_cps *cps);
mopd_status mo_unicode_nfc_newest(const char *text, size_t n_bytes, mo_unicode_cps *cps);

/* Bytes of the cluster of characters that one sees as one (Unicode's extended grapheme cluster) at the start of text,
 * which is UTF-8; n at most. */
size_t mo_unicode_cluster(const char *text, size_t n);

mopd_status mo_unicode_room(mo_unicode_cps *cps, size_t n);

#endif
