/* SPDX-License-Identifier: MIT
 * layouts.h - the ways a model can lie on disk: one file a layout, all in one list.
 *
 * A new layout is a file here that defines `const mo_layout mo_layout_NAME`, and its NAME in MO_LAYOUTS below. */
#ifndef MO_MODEL_LAYOUTS_LAYOUTS_H
#define MO_MODEL_LAYOUTS_LAYOUTS_H

#include "model/encoder.h"

/* What lies at a path, for a layout to look at. */
typedef struct mo_layout_place {
    const char *path;
    bool is_folder;
    unsigned char head[16]; /* the first bytes of a file, zeros behind its end */
    size_t n_head;
} mo_layout_place;

/* Several layouts may be possible: a sure one goes before one that may be, and among equals the order of
 * the list decides. */
typedef enum mo_layout_fit { MO_LAYOUT_NO, MO_LAYOUT_MAYBE, MO_LAYOUT_SURE } mo_layout_fit;

typedef struct mo_layout {
    const char *name; /* what inspect calls it */
    const char
        *sign; /* for messages: the file that a folder of this layout must have; NULL: it is no folder */
    mopd_status (*detect)(mo_layout_fit *fit, const mo_layout_place *place);
    /* Fills config, weights (bound) and tokenizer of e, which the caller frees on failure.  read: files into
     * memory instead of mapping. */
    mopd_status (*open)(mopd_encoder *e, const char *path, bool read);
} mo_layout;

#define MO_LAYOUTS(X) X(hf) X(open_clip) X(locked) X(openai) X(packed)

#define MO_LAYOUT_DECLARE(name) extern const mo_layout mo_layout_##name;
MO_LAYOUTS(MO_LAYOUT_DECLARE)
#undef MO_LAYOUT_DECLARE

/* The layout of what lies at path.  IO: nothing is there, or a folder that is none; the message says what would
 * be looked for. */
mopd_status mo_layouts_find(const mo_layout **out, const char *path);

#endif
