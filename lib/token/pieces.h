/* SPDX-License-Identifier: MIT
 * pieces.h - the tokenizers of SentencePiece's kind, for tokenizer*.c and pieces_*.c alone.
 *
 *     unigram   the pieces of a word whose scores have the largest sum (Kudo 2018)
 *     pairs     characters, those that the vocabulary lacks as their bytes, joined by ranked merges (SentencePiece's BPE)
 *
 * Both come as the tokenizers library runs them (a tokenizer.json), and the first as SentencePiece itself does behind
 * transformers' SiglipTokenizer (a spiece.model).  The two differ: in normalisation, in what a word is, in the width of
 * sums.
 *
 * The serialised block, 32-bit little-endian numbers (NONE = 0xffffffff):
 *
 *     magic[2] n_bytes | n_ids n_merges n_added n_text | start end pad unknown | kind flags
 *     n_scores n_order n_steps n_map | zeros up to 24 numbers
 *     score[n_scores]  of each id, f64; -inf: never found in a text
 *     merge, token, added  as in tokenizer_table.h
 *     order[n_order]   ids of the model's pieces in the order of their bytes
 *     step[n_steps]    of the normalisation
 *     text[n_text]     piece texts, then patterns; zeros up to a multiple of 4
 *     map[n_map]       charsmap.h; zeros up to a multiple of 4 */
#ifndef MO_TOKEN_PIECES_H
#define MO_TOKEN_PIECES_H

#include "token/charsmap.h"
#include "token/tokenizer.h"

typedef enum mo_pieces_kind {
    MO_PIECES_NONE, /* CLIP's own tokenizer */
    MO_PIECES_UNIGRAM,
    MO_PIECES_PAIRS
} mo_pieces_kind;

/* SIGLIP: SentencePiece as SiglipTokenizer calls it; then FLOATS: sums in 32 bits; LOWER: texts are lowered first;
 * SQUEEZE: SentencePiece's "remove_extra_whitespaces"; PREFIX: its "add_dummy_prefix". */
#define MO_PIECES_SIGLIP UINT32_C(1)
#define MO_PIECES_FLOATS UINT32_C(2)
#define MO_PIECES_LOWER UINT32_C(4)
#define MO_PIECES_SQUEEZE UINT32_C(8)
#define MO_PIECES_PREFIX UINT32_C(16)
/* As the tokenizers library has them: byte_fallback, fuse_unk, ignore_merges; WhitespaceSplit; Metaspace, a blank put
 * before each word, and words cut before each blank. */
#define MO_PIECES_BYTES UINT32_C(32)
#define MO_PIECES_FUSE UINT32_C(64)
#define MO_PIECES_WHOLE UINT32_C(128)
#define MO_PIECES_WORDS UINT32_C(256)
#define MO_PIECES_METASPACE UINT32_C(512)
#define MO_PIECES_BEFORE UINT32_C(1024)
#define MO_PIECES_SPLIT UINT32_C(2048)
#define MO_PIECES_FLAGS UINT32_C(4095)

/* The steps of a normaliser of the tokenizers library. */
typedef enum mo_pieces_step {
    MO_PIECES_STEP_LOWER = 1, /* Lowercase: each character by itself */
    MO_PIECES_STEP_MAP,       /* Precompiled */
    MO_PIECES_STEP_BLANKS,    /* Replace " " by "\u2581" */
    MO_PIECES_STEP_STRIP_LEFT,
    MO_PIECES_STEP_STRIP_RIGHT,
    MO_PIECES_STEP_RUNS,     /* Replace " {2,}" by one blank */
    MO_PIECES_STEP_RUNS_LOW, /* the same by "\u2581" */
    MO_PIECES_STEPS
} mo_pieces_step;

#define MO_PIECES_MOST_STEPS 16
#define MO_PIECES_BLANK "\xe2\x96\x81" /* U+2581, which stands for a blank */

/* The part of a tokenizer that CLIP's has not. */
typedef struct mo_pieces {
    mo_pieces_kind kind;
    uint32_t flags;
    const double *score; /* n_scores: n_ids of them, or none */
    const uint32_t *order, *step;
    size_t n_scores, n_order, n_steps;
    mo_charsmap map;
    double unknown_score; /* of a character that no piece covers */
    uint32_t byte[256];   /* ids of <0x00> to <0xFF> */
    uint32_t first[257];  /* places in order of the pieces that begin with each byte */
    size_t n_prefix;      /* pieces of the unknown token's own text: SiglipTokenizer */
} mo_pieces;

/* Memory of one call. */
typedef struct mo_pieces_node {
    double score;
    size_t from;
    uint32_t id;
    bool reached;
} mo_pieces_node;

typedef struct mo_pieces_scratch {
    mo_buf a, b, word, prefixed;
    mo_pieces_node *node;
    size_t n_node;
    uint32_t *work;
    size_t n_work;
} mo_pieces_scratch;

void mo_pieces_close(mo_pieces_scratch *s);

/* Appends the ids of a text, which is UTF-8. */
mopd_status mo_pieces_text(
    const mo_tokenizer *t, const char *text, size_t n, mo_pieces_scratch *s, mo_tokens *tokens);

/* Sets n_prefix. */
mopd_status mo_pieces_prefix(mo_tokenizer *t);

/* Appends the ids of one word of normalised text, by the model alone. */
mopd_status mo_pieces_unigram(
    const mo_tokenizer *t, const char *word, size_t n, mo_pieces_scratch *s, mo_tokens *tokens);
mopd_status mo_pieces_pairs(
    const mo_tokenizer *t, const char *word, size_t n, mo_pieces_scratch *s, mo_tokens *tokens);

/* out (emptied first) = text after all steps, which does not lie in it or in room. */
mopd_status mo_pieces_normalize(const mo_tokenizer *t, const char *text, size_t n, mo_buf *out, mo_buf *room);

/* Pieces in the order of their bytes that go on with byte c after `depth` equal bytes: [*from, *to), narrowed. */
bool mo_pieces_narrow(const mo_tokenizer *t, size_t depth, unsigned char c, size_t *from, size_t *to);

/* The id of the model's piece of just this text, MO_TOKEN_NONE for none. */
uint32_t mo_pieces_find(const mo_tokenizer *t, const char *text, size_t n);

#endif
