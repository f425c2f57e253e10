/* SPDX-License-Identifier: MIT
 * clean.h - what OpenAI's and open_clip's tokenizers do to a text before they cut it into words.
 *
 *     ftfy.fix_text, without its guesses at text that was decoded wrongly
 *     html.unescape, twice
 *     white space: none at the ends, one blank between
 *     Python's lower(), where asked; or the canonical form below */
#ifndef MO_TOKEN_CLEAN_H
#define MO_TOKEN_CLEAN_H

#include "base/buf.h"

/* CANONICAL: open_clip's "canonicalize", big_vision's rule for SigLIP: "_" a blank, string.punctuation deleted, lower. */
typedef enum mo_clean_case { MO_CLEAN_AS_IS, MO_CLEAN_LOWER, MO_CLEAN_CANONICAL } mo_clean_case;

/* out (emptied first) = the cleaned text, which must be UTF-8. */
mopd_status mo_clean_text(mo_buf *out, const char *text, size_t n_bytes, mo_clean_case to);

/* The same by transformers' SiglipTokenizer: Python's lower() where asked, then string.punctuation deleted ("_" too),
 * white space joined and none at the ends; nothing else. */
mopd_status mo_clean_siglip(mo_buf *out, const char *text, size_t n_bytes, bool lower);

/* out (emptied first) = text with curly single quotes as straight apostrophes. */
mopd_status mo_clean_apostrophes(mo_buf *out, const char *text, size_t n_bytes);

#endif
