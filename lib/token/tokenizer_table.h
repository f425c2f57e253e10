/* SPDX-License-Identifier: MIT
 * tokenizer_table.h - the tokenizer's block of tables, for tokenizer*.c alone.
 *
 * The serialised block, 32-bit little-endian numbers (NONE = 0xffffffff):
 *
 *     magic[2] n_bytes | n_ids n_merges n_added n_text | start end pad unknown
 * symbol[256]      id of each byte inside a word        last[256]  the same at the end of a word ("a</w>")
 *     merge[n_merges]  left id, right id, id of both joined; the place is the rank
 *     token[n_ids + 1] where each token's text begins in the text below; an unused id is empty
 *     added[n_added]   id, flags, place and bytes of the pattern in the text
 *     text[n_text]     token texts, then patterns; zeros up to a multiple of 4 */
#ifndef MO_TOKEN_TOKENIZER_TABLE_H
#define MO_TOKEN_TOKENIZER_TABLE_H

#include "base/buf.h"
#include "format/json.h"
#include "token/tokenizer.h"
#include "token/unicode.h"

#define MO_TOKEN_NONE UINT32_C(0xffffffff)
#define MO_TOKEN_MAX_IDS ((size_t)1 << 21)

/* An added token; without NORMALIZED it is looked for in the raw text, with it in the normalised text. */
#define MO_ADDED_LSTRIP UINT32_C(1)
#define MO_ADDED_RSTRIP UINT32_C(2)
#define MO_ADDED_NORMALIZED UINT32_C(4)

typedef struct mo_merge {
    uint32_t left, right, joined;
} mo_merge;

typedef struct mo_added {
    uint32_t id, flags, at, n_bytes;
} mo_added;

struct mo_tokenizer {
    size_t n_ids, n_merges, n_added, n_text;
    uint32_t start, end, pad, unknown;
    const uint32_t *symbol, *last; /* 256 each */
    const mo_merge *merge;
    const uint32_t *token; /* n_ids + 1 */
    const mo_added *added;
    const char *text;
    uint32_t *slot; /* pair of ids -> merge index + 1, 0 free; open addressing */
    size_t slot_mask;
    bool starts[2][256]; /* bytes that begin a raw, a normalised pattern */
    bool any[2];         /* such patterns exist */
    const void *block;
    size_t block_bytes;
    mo_cleaning cleaning; /* not a part of the block */
};

/* A growing vocabulary while a tokenizer is put together: text -> id.  Texts are not copied. */
typedef struct mo_word {
    const char *text;
    size_t n_bytes;
    uint32_t id;
} mo_word;

typedef struct mo_tokenizer_vocab {
    mo_word *word;
    size_t n, cap;
    uint32_t *slot; /* word index + 1 */
    size_t slot_mask;
} mo_tokenizer_vocab;

/* Room for cap words in all. */
mopd_status mo_tokenizer_vocab_open(mo_tokenizer_vocab *vocab, size_t cap);
void mo_tokenizer_vocab_close(mo_tokenizer_vocab *vocab);

/* Gives text the id, replacing the one it had.  INTERNAL beyond cap. */
mopd_status mo_tokenizer_vocab_set(mo_tokenizer_vocab *vocab, const char *text, size_t n_bytes, uint32_t id);
const mo_word *mo_tokenizer_vocab_find(const mo_tokenizer_vocab *vocab, const char *text, size_t n_bytes);

/* An added token by name; pattern is what is looked for (normalised where flags say so). */
typedef struct mo_pattern {
    const char *pattern;
    size_t n_bytes;
    uint32_t id, flags;
} mo_pattern;

/* What a tokenizer is made from. */
typedef struct mo_tokenizer_parts {
    const mo_tokenizer_vocab *model; /* the vocabulary of the BPE */
    const mo_tokenizer_vocab *extra; /* tokens beyond it */
    const mo_merge *merge;           /* a later repetition of a pair wins */
    size_t n_merges;
    const mo_pattern *added; /* of equal patterns the first wins */
    size_t n_added;
    uint32_t start, end, pad, unknown;
} mo_tokenizer_parts;

mopd_status mo_tokenizer_build(mo_tokenizer **out, const mo_tokenizer_parts *parts, const char *name);

/* The index of the merge of a pair of ids, MO_TOKEN_NONE when there is none. */
uint32_t mo_tokenizer_merge(const mo_tokenizer *t, uint32_t left, uint32_t right);

/* The character that stands for a byte in a byte-level vocabulary (Radford et al. 2019), as UTF-8; its bytes. */
size_t mo_tokenizer_byte_symbol(unsigned char byte, char out[4]);

/* out (emptied first) = NFC, each run of white space one space, lower case.  FORMAT: not UTF-8. */
mopd_status mo_tokenizer_normalize(const char *text, size_t n_bytes, mo_unicode_cps *cps, mo_buf *out);

/* An added token as the files around a tokenizer name it; not yet an id. */
typedef struct mo_tokenizer_special {
    const char *content; /* owned by the JSON it was read from, or static */
    uint32_t flags;      /* MO_ADDED_... */
} mo_tokenizer_special;

/* The added tokens that transformers' CLIPTokenizer makes of tokenizer_config.json, special_tokens_map.json,
 * added_tokens.json and tokenizer.json's own list, in the order it adds them. */
typedef struct mo_tokenizer_specials {
    mo_tokenizer_special *item;
    size_t n, cap;
    const char *start, *end, *pad, *unknown; /* pad may be NULL */
    const mo_json *config, *map, *list;      /* open files */
} mo_tokenizer_specials;

/* folder NULL: no files; json, tokenizer.json's root, may be NULL and must stay open as long. */
mopd_status mo_tokenizer_specials_open(
    mo_tokenizer_specials *s, const char *folder, const mo_json *json, const char *json_path);
void mo_tokenizer_specials_close(mo_tokenizer_specials *s);

#endif
