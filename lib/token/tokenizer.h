/* SPDX-License-Identifier: MIT
 * tokenizer.h - text to token ids: CLIP's byte-level BPE, the same as transformers' CLIPTokenizer (version 5), and the
 * tokenizers of SentencePiece's kind that SigLIP, SigLIP 2 and MetaCLIP 2 have (pieces.h).
 *
 * Or, where it is told so before its first use, the same as OpenAI's and open_clip's, which clean a text first
 * (clean.h) and take special tokens in other ways.  On ordinary text the ids are the same.
 *
 * Immutable once open, no cache: any number of threads.  One block of memory. */
#ifndef MO_TOKEN_TOKENIZER_H
#define MO_TOKEN_TOKENIZER_H

#include "base/buf.h"

typedef struct mo_tokenizer mo_tokenizer;

/* Ids that grow; start from {0}, reuse from call to call, end with mo_mem_free(tokens.id). */
typedef struct mo_tokens {
    uint32_t *id;
    size_t n;
    size_t cap;
} mo_tokens;

/* Whose way with texts is followed.  APOSTROPHES: transformers', with straight apostrophes for curly ones.
 * HF_IN_OPEN_CLIP: cleaned, in the text's own case, then transformers'; LOWER and CANONICAL the same in lower case and as
 * open_clip's "canonicalize" (clean.h).  What transformers' own class of tokenizer cleans is done in all of them. */
typedef enum mo_cleaning {
    MO_CLEANING_TRANSFORMERS,
    MO_CLEANING_OPENAI,
    MO_CLEANING_OPEN_CLIP,
    MO_CLEANING_HF_IN_OPEN_CLIP,
    MO_CLEANING_APOSTROPHES,
    MO_CLEANING_LOWER_IN_OPEN_CLIP,
    MO_CLEANING_CANONICAL_IN_OPEN_CLIP
} mo_cleaning;
void mo_tokenizer_set_cleaning(mo_tokenizer *t, mo_cleaning cleaning);
mo_cleaning mo_tokenizer_cleaning(const mo_tokenizer *t);

/* What open_clip's users get of such a tokenizer: OPENAI for CLIP's, CANONICAL for SigLIP's, the same as transformers
 * but for ftfy and entities for one with a start that is not CLIP's. */
mo_cleaning mo_tokenizer_cleaned(const mo_tokenizer *t);

/* The word of a cleaning in files, and back; false for an unknown one. */
const char *mo_tokenizer_cleaning_name(mo_cleaning cleaning);
bool mo_tokenizer_cleaning_find(mo_cleaning *out, const char *name);

/* The tokenizer of a model folder: spiece.model where its class is SiglipTokenizer or no tokenizer.json is there; else
 * tokenizer.json; else vocab.json + merges.txt; else bpe_simple_vocab_16e6.txt.gz.  tokenizer_config.json,
 * special_tokens_map.json and added_tokens.json say which added tokens there are, as in transformers.  IO names what
 * is missing; FORMAT names the file and the place; UNSUPPORTED for a tokenizer of another kind, or with a part that
 * is not known. */
mopd_status mo_tokenizer_open(mo_tokenizer **out, const char *folder);

/* The same from bpe_simple_vocab_16e6.txt.gz alone (gzip or plain text): OpenAI's and open_clip's layout. */
mopd_status mo_tokenizer_open_simple(mo_tokenizer **out, const char *path);

/* One serialised block, appended to buf, always the same bytes for the same tokenizer; and back from it.  load
 * copies, any alignment will do; name stands in messages.  FORMAT for anything that does not hold together. */
mopd_status mo_tokenizer_save(const mo_tokenizer *t, mo_buf *buf);
mopd_status mo_tokenizer_load(mo_tokenizer **out, const void *bytes, size_t n_bytes, const char *name);

void mo_tokenizer_free(mo_tokenizer *t);

/* Appends the ids of a text without start and end, and without pads.  FORMAT: broken UTF-8, with the byte position. */
mopd_status mo_tokenizer_raw(const mo_tokenizer *t, const char *text, size_t n_bytes, mo_tokens *tokens);

/* Appends start (where the kind has one), the ids, end; no pads.  More than limit ids in all (0: any number): ARG with
 * both counts, or with truncate the first limit-1 ids and the end.  On failure tokens is as before. */
mopd_status mo_tokenizer_encode(
    const mo_tokenizer *t, const char *text, size_t n_bytes, size_t limit, bool truncate, mo_tokens *tokens);

/* UINT32_MAX: a start in T5's, SigLIP's and Gemma's kinds, which have none; a pad that no file of these kinds names. */
bool mo_tokenizer_has_start(const mo_tokenizer *t);
uint32_t mo_tokenizer_start(const mo_tokenizer *t);
uint32_t mo_tokenizer_end(const mo_tokenizer *t);
uint32_t mo_tokenizer_pad(const mo_tokenizer *t);

/* The largest id + 1: a token embedding needs that many rows. */
size_t mo_tokenizer_n_ids(const mo_tokenizer *t);

/* A token as the vocabulary writes it ("cat</w>"), *n_bytes long, not ended by a zero; NULL for an unused id. */
const char *mo_tokenizer_token(const mo_tokenizer *t, uint32_t id, size_t *n_bytes);

#endif
