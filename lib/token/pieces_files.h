/* SPDX-License-Identifier: MIT
 * pieces_files.h - tokenizers of SentencePiece's kind from a model folder's files. */
#ifndef MO_TOKEN_PIECES_FILES_H
#define MO_TOKEN_PIECES_FILES_H

#include "token/tokenizer_source.h"

/* The class that tokenizer_config.json names, "" for none or a long name. */
mopd_status mo_pieces_class(char out[64], const char *folder);

/* What kind a tokenizer.json's "model" is; NONE: CLIP's, or another. */
mo_pieces_kind mo_pieces_kind_of(const mo_json *model);

/* From a tokenizer.json whose vocabulary, scores and merges are in s, and the rest of it in s->json.  UNSUPPORTED names
 * a part of it that is not known. */
mopd_status mo_pieces_finish_json(
    mo_tokenizer **out, mo_tokenizer_source *s, mo_pieces_kind kind, const char *folder, const char *path);

/* From a spiece.model, as transformers' SiglipTokenizer has it. */
mopd_status mo_pieces_open_spiece(mo_tokenizer **out, const char *folder, const char *path);

#endif
