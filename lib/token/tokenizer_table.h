/* SPDX-License-Identifier: MIT
 * tokenizer_table.h - the tokenizer's block of tables, for tokenizer*.c and pieces_*.c alone.
 *
 * The serialised block of CLIP's tokenizer (pieces.h has the other kinds'), 32-bit little-endian numbers (NONE = 0xffffffff):
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
#include "base/hash.h"
#include "format/json.h"
#include "token/pieces.h"
#include "token/tokenizer.h"
#include "token/unicode.h"

#define MO_TOKEN_NONE UINT32_C(0xffffffff)
#define MO_TOKEN_MAX_IDS ((size_t)1 << 20)
#define MO_TOKEN_LONGEST                                                                                     \
    2048 /* bytes of what is looked for at each place of a text: SentencePiece's 512 characters */

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
    mo_hash_key key;
    bool starts[2][256]; /* bytes that begin a raw, a normalised pattern */
    uint32_t *pattern
        [2]; /* raw and normalised ones in the order of their bytes, of equal ones the first added first */
    size_t n_pattern[2];
    const void *block;
    size_t block_bytes;
    mo_cleaning cleaning; /* not a part of the block */
    mo_pieces pieces;     /* of the kinds that have no symbol and no last */
};

/* A growing vocabulary while a tokenizer is put together: text -> id.  Texts are not copied. */
typedef struct mo_word {
    const char *text;
    size_t n_bytes;
    uint32_t id;
} mo_word;

/* For qsort: two words as bytes, a shorter one first. */
int mo_tokenizer_by_bytes(const void *a, const void *b);

typedef struct mo_tokenizer_vocab {
    mo_word *word;
    size_t n, cap;
    uint32_t *slot; /* word index + 1 */
    size_t slot_mask;
    mo_hash_key key;
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

/* Parts of a block.  The largest id + 1.  The merges without pairs that come again later; how many were left out goes
 * into *n_left_out.  token[], added[] and text[]; *n_text = bytes of text. */
size_t mo_tokenizer_count_ids(const mo_tokenizer_parts *parts);
mopd_status mo_tokenizer_add_merges(mo_buf *buf, const mo_tokenizer_parts *parts, size_t *n_left_out);
mopd_status mo_tokenizer_add_texts(
    mo_buf *buf, const mo_tokenizer_parts *parts, size_t n_ids, const char *name, size_t *n_text);

/* A tokenizer over a copy of a block, whose parts are not placed yet, with an empty table for so many pairs and room for
 * the order of so many added tokens; NULL: no memory. */
mo_tokenizer *mo_tokenizer_of_block(const void *bytes, size_t n_bytes, size_t n_merges, size_t n_added);

/* Checks of a placed block: texts lie inside; patterns do, and they are put in order; the table of pairs is filled. */
mopd_status mo_tokenizer_check_texts(const mo_tokenizer *t, const char *name);
mopd_status mo_tokenizer_check_added(mo_tokenizer *t, const char *name);
mopd_status mo_tokenizer_index_merges(mo_tokenizer *t, const char *name);

/* What the other kinds are made from beside that; score by id, or NULL. */
typedef struct mo_pieces_parts {
    const mo_tokenizer_parts *tokens;
    mo_pieces_kind kind;
    uint32_t flags;
    const double *score;
    size_t n_scores;
    uint32_t step[MO_PIECES_MOST_STEPS];
    size_t n_steps;
    const void *map; /* charsmap.h */
    size_t n_map;
} mo_pieces_parts;

#define MO_PIECES_MAGIC UINT32_C(0x69706f6d) /* "mopi" */
mopd_status mo_pieces_build(mo_tokenizer **out, const mo_pieces_parts *parts, const char *name);
mopd_status mo_pieces_load(mo_tokenizer **out, const void *bytes, size_t n_bytes, const char *name);

mopd_status mo_tokenizer_build(mo_tokenizer **out, const mo_tokenizer_parts *parts, const char *name);

/* The index of the merge of a pair of ids, MO_TOKEN_NONE when there is none. */
uint32_t mo_tokenizer_merge(const mo_tokenizer *t, uint32_t left, uint32_t right);

/* n ids at the start of work, which has room for MO_TOKENIZER_WORK x n, after all merges; how many are left. */
#define MO_TOKENIZER_WORK 9
size_t mo_tokenizer_join(const mo_tokenizer *t, uint32_t *work, size_t n);

/* Room for n more ids. */
mopd_status mo_tokenizer_room(mo_tokens *tokens, size_t n);

/* Bytes of the run of characters of `class` that starts at p. */
size_t mo_tokenizer_run(const char *p, size_t n, mo_uclass class);

/* Where the white space that ends text[0 .. n) begins. */
size_t mo_tokenizer_space_before(const char *text, size_t n);

/* Puts the patterns of added tokens in order and notes the bytes they begin with. */
mopd_status mo_tokenizer_sort_added(mo_tokenizer *t);

/* The text at a place of a list that is in the order of bytes, and its bytes. */
typedef const char *(*mo_tokenizer_text_fn)(
    const mo_tokenizer *t, const uint32_t *order, size_t place, size_t *n);

/* The first place from `from` on whose byte at `depth` is c or more; a text that has ended counts as less. */
static inline size_t mo_tokenizer_bound(const mo_tokenizer *t, mo_tokenizer_text_fn text_of,
    const uint32_t *order, size_t depth, unsigned c, size_t from, size_t to)
{
    while (from < to) {
        size_t n, mid = from + (to - from) / 2;
        const char *text = text_of(t, order, mid, &n);
        if (n > depth && (unsigned char)text[depth] >= c)
            to = mid;
        else
            from = mid + 1;
    }
    return from;
}

/* The leftmost longest added token of a kind (0: raw, MO_ADDED_NORMALIZED) that begins at `at` or behind; false for
 * none.  It takes [from, to) of the text with the white space that belongs to it, and the search goes on at `at`.
 * Start from {0}. */
typedef struct mo_tokenizer_cut {
    size_t at, from, to;
    uint32_t id;
} mo_tokenizer_cut;
bool mo_tokenizer_cut_next(
    const mo_tokenizer *t, const char *text, size_t n, uint32_t kind, mo_tokenizer_cut *cut);

/* The character that stands for a byte in a byte-level vocabulary (Radford et al. 2019), as UTF-8; its bytes. */
size_t mo_tokenizer_byte_symbol(unsigned char byte, char out[4]);

/* out (emptied first) = NFC, each run of white space one space, lower case.  FORMAT: not UTF-8. */
mopd_status mo_tokenizer_normalize(const char *text, size_t n_bytes, mo_unicode_cps *cps, mo_buf *out);

/* An added token as the files around a tokenizer name it; not yet an id. */
typedef struct mo_tokenizer_special {
    const char *content; /* owned by the JSON it was read from, or static */
    uint32_t flags;      /* MO_ADDED_... */
} mo_tokenizer_special;

/* The added tokens that transformers makes of tokenizer_config.json, special_tokens_map.json,
 * added_tokens.json and tokenizer.json's own list, in the order it adds them. */
typedef struct mo_tokenizer_specials {
    mo_tokenizer_special *item;
    size_t n, cap;
    const char *start, *end, *pad,
        *unknown;                       /* NULL: none; with CLIP's defaults there is a start and an end */
    const char *const *defaults;        /* of the seven keys of read_named */
    const mo_json *config, *map, *list; /* open files */
} mo_tokenizer_specials;

/* folder NULL: no files; json, tokenizer.json's root, may be NULL and must stay open as long.  defaults: what a class
 * of tokenizers calls its tokens of begin, end, unknown, separator, pad, class and mask where the files do not say;
 * NULL: none.  FORMAT without an end, or without a start where there is a default of it. */
extern const char *const mo_tokenizer_specials_clip[7];
mopd_status mo_tokenizer_specials_open(mo_tokenizer_specials *s, const char *folder, const mo_json *json,
    const char *json_path, const char *const defaults[7]);
void mo_tokenizer_specials_close(mo_tokenizer_specials *s);

#endif
