/* SPDX-License-Identifier: MIT
 * clean.h - what OpenAI's and open_clip's tokenizers do to a text before they cut it into words.
 *
 *     ftfy.fix_text, without its guesses at text that was decoded wrongly
 *     html.unescape, twice
 *     white space: none at the ends, one blank between
 *     Python's lower(), where asked */
#ifndef MO_TOKEN_CLEAN_H
#define MO_TOKEN_CLEAN_H

#include "base/buf.h"

/* out (emptied first) = the cleaned text, which must be UTF-8. */
mopd_status mo_clean_text(mo_buf *out, const char *text, size_t n_bytes, bool lower);

/* out (emptied first) = text with curly single quotes as straight apostrophes. */
mopd_status mo_clean_apostrophes(mo_buf *out, const char *text, size_t n_bytes);

#endif
