/* SPDX-License-Identifier: MIT
 * layout_files.h - what the layouts of a folder share: its JSON files, its weight files, and the last steps. */
#ifndef MO_MODEL_LAYOUTS_LAYOUT_FILES_H
#define MO_MODEL_LAYOUTS_LAYOUT_FILES_H

#include "clip/naming.h"
#include "format/json.h"
#include "model/encoder.h"

/* For mo_naming.ignored: buffers that frameworks store beside the weights. */
#define MO_LAYOUT_BUFFERS "*position_ids", "*attn_mask", "*num_batches_tracked"

/* Whether dir/name is a file.  NOMEM. */
mopd_status mo_layout_files_has(bool *found, const char *dir, const char *name);

/* Parses dir/name and hands it to fn with its path.  IO names the missing file. */
typedef mopd_status (*mo_layout_json_fn)(mopd_encoder *e, const mo_json *root, const char *path);
mopd_status mo_layout_files_json(mopd_encoder *e, const char *dir, const char *name, mo_layout_json_fn fn);

/* Adds the tensors of one file, of whatever format. */
mopd_status mo_layout_files_add(mopd_encoder *e, const char *path, bool read);

/* The files that a layout keeps its weights in: the first of n names that is there.  A name that ends in
 * ".index.json" lists the files that hold them.  ends, NULL-terminated or NULL: without one of the names, the one
 * file that ends so. */
typedef struct mo_layout_weights {
    const char *const *names;
    size_t n;
    const char *const *ends;
} mo_layout_weights;

/* Adds the weights that lie in dir, without what training put before their names.  IO: there are none; the message
 * says what was looked for.  FORMAT: several files may be meant. */
mopd_status mo_layout_files_weights(mopd_encoder *e, const char *dir, const mo_layout_weights *w, bool read);

/* Checks e's configuration, binds its weights, and reads what mopd.json in dir recommends where there is one. */
mopd_status mo_layout_files_bind(mopd_encoder *e, const char *dir, const mo_naming *naming);

/* Opens the tokenizer in dir; a text tower that reads pads gets its id. */
mopd_status mo_layout_files_tokenizer(mopd_encoder *e, const char *dir);

#endif
