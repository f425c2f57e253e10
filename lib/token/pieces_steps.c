/* SPDX-License-Identifier: MIT
 * pieces_steps.c - a text as the tokenizers library normalises it, step by step from one buffer to the other. */
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "token/tokenizer_table.h"

static mopd_status lower(const mo_buf *in, mo_buf *out)
{
    mopd_status st = MOPD_OK;
    for (size_t at = 0; at < in->size && st == MOPD_OK;) {
        uint32_t low[2];
        char bytes[8];
        const int32_t cp = mo_utf8_next(in->data, in->size, &at);
        if (cp < 0) return mo_fail(MOPD_E_INTERNAL, "normalised text is not UTF-8");
        size_t n = 0;
        for (size_t k = 0, n_low = mo_unicode_lower((uint32_t)cp, low); k < n_low; k++)
            n += mo_utf8_put(low[k], bytes + n);
        st = mo_buf_add(out, bytes, n);
    }
    return st;
}

/* Runs of `least` and more blanks as one text; each blank of a shorter run as itself. */
static mopd_status replace_blanks(const mo_buf *in, mo_buf *out, size_t least, const char *by)
{
    mopd_status st = MOPD_OK;
    for (size_t at = 0, run; at < in->size && st == MOPD_OK; at += run) {
        for (run = 0; at + run < in->size && in->data[at + run] == ' ' && (least > 1 || !run);) run++;
        if (run)
            st = run >= least ? mo_buf_adds(out, by) : mo_buf_add(out, in->data + at, run);
        else
            st = mo_buf_add(out, in->data + at, run = 1);
    }
    return st;
}

static mopd_status strip(const mo_buf *in, mo_buf *out, bool left)
{
    if (!left) return mo_buf_add(out, in->data, mo_tokenizer_space_before(in->data, in->size));
    const size_t n = mo_tokenizer_run(in->data, in->size, MO_U_SPACE);
    return mo_buf_add(out, in->data + n, in->size - n);
}

static mopd_status take_step(const mo_tokenizer *t, uint32_t step, const mo_buf *in, mo_buf *out)
{
    switch (step) {
    case MO_PIECES_STEP_LOWER:
        return lower(in, out);
    case MO_PIECES_STEP_MAP:
        return mo_charsmap_clusters(&t->pieces.map, in->data, in->size, out);
    case MO_PIECES_STEP_BLANKS:
        return replace_blanks(in, out, 1, MO_PIECES_BLANK);
    case MO_PIECES_STEP_RUNS:
        return replace_blanks(in, out, 2, " ");
    case MO_PIECES_STEP_RUNS_LOW:
        return replace_blanks(in, out, 2, MO_PIECES_BLANK);
    default:
        return strip(in, out, step == MO_PIECES_STEP_STRIP_LEFT);
    }
}

mopd_status mo_pieces_normalize(const mo_tokenizer *t, const char *text, size_t n, mo_buf *out, mo_buf *room)
{
    out->size = 0;
    mopd_status st = mo_buf_add(out, text, n);
    for (size_t i = 0; i < t->pieces.n_steps && st == MOPD_OK; i++) {
        room->size = 0;
        st = mo_buf_add(room, "", 0);
        if (st == MOPD_OK) st = take_step(t, t->pieces.step[i], out, room);
        const mo_buf x = *out;
        *out = *room;
        *room = x;
    }
    return st;
}
