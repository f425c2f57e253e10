/* SPDX-License-Identifier: MIT
 * tokenizer_source.h - what is read of a tokenizer's files before it is built: vocabulary, merges, added tokens. */
#ifndef MO_TOKEN_TOKENIZER_SOURCE_H
#define MO_TOKEN_TOKENIZER_SOURCE_H

#include "token/tokenizer_scan.h"
#include "token/tokenizer_table.h"

/* Start from {0}. */
typedef struct mo_tokenizer_source {
    mo_tokenizer_vocab model, extra; /* the model's tokens, those beyond it */
    double *score;                   /* of each token of the model, in order; NULL for a model without */
    mo_merge *merge;
    size_t n_merges, cap_merges;
    mo_tokenizer_specials specials;
    mo_pattern *pattern; /* of the added tokens */
    size_t n_patterns;
    const mo_json *json;
    mo_buf text;     /* keeps texts that are in no JSON */
    mo_buf patterns; /* keeps those of normalised patterns */
    mo_buf file;     /* a tokenizer.json read without a tree */
} mo_tokenizer_source;

void mo_tokenizer_source_close(mo_tokenizer_source *s);

/* vocab, opened here, = {"text": id, ...}. */
mopd_status mo_tokenizer_source_vocab(mo_tokenizer_vocab *vocab, const mo_json *object, const char *path);

/* The model's tokens and scores = [["text", score], ...]; room for cap of them. */
mopd_status mo_tokenizer_source_room(mo_tokenizer_source *s, size_t cap);
mopd_status mo_tokenizer_source_pieces(mo_tokenizer_source *s, const mo_json *array, const char *path);

/* Scores for n ids: those beyond the model's have -inf. */
mopd_status mo_tokenizer_source_scores(mo_tokenizer_source *s, size_t n);

/* Room for cap merges; one more of them from its parts, or from "a b"; all of an array or of its text.  scan says
 * false as mo_tokenizer_scan_merge does, or where *st is a failure. */
mopd_status mo_tokenizer_source_merges(mo_tokenizer_source *s, size_t cap);
mopd_status mo_tokenizer_source_merge(
    mo_tokenizer_source *s, const char *a, size_t n_a, const char *b, size_t n_b, const char *path);
mopd_status mo_tokenizer_source_merge_text(
    mo_tokenizer_source *s, const char *text, size_t n, const char *path);
mopd_status mo_tokenizer_source_merge_array(mo_tokenizer_source *s, const mo_json *array, const char *path);
bool mo_tokenizer_source_scan(
    mo_tokenizer_source *s, mo_tokenizer_scan merges, const char *path, mopd_status *st);

/* out (emptied first) = a text as the tokenizer normalises it. */
typedef mopd_status (*mo_tokenizer_norm_fn)(void *context, const char *text, size_t n_bytes, mo_buf *out);

/* Numbers the tokens of s->specials, which is open, and makes their patterns. */
mopd_status mo_tokenizer_source_patterns(mo_tokenizer_source *s, mo_tokenizer_norm_fn norm, void *context);

/* The id of a token, MO_TOKEN_NONE for one that there is not, or NULL. */
uint32_t mo_tokenizer_source_id(const mo_tokenizer_source *s, const char *content);

#endif
