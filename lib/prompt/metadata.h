/* SPDX-License-Identifier: MIT
 * metadata.h - texts and lists of names in the metadata of prompt files and recognisers. */
#ifndef MO_PROMPT_METADATA_H
#define MO_PROMPT_METADATA_H

#include "base/names.h"
#include "format/json.h"
#include "format/safetensors.h"
#include "format/tensors.h"

/* FORMAT where the key is missing; the text is the file's. */
mopd_status mo_metadata_need(const mo_tensors *file, const char *key, const char **out);

/* What the files of banks, heads and recognisers begin with: mopd.kind, .format, .version and .fingerprint.  Reading:
 * FORMAT for another kind, told as "not a NAME", or a fingerprint that is too long; VERSION for another format. */
#define MO_METADATA_FORMAT "1"
mopd_status mo_metadata_write_head(mo_safetensors_writer *w, const char *kind, const char *fingerprint);
mopd_status mo_metadata_read_head(
    const mo_tensors *file, const char *kind, const char *name, char fingerprint[65]);

/* A key's text as JSON; mo_json_close it. */
mopd_status mo_metadata_json(const mo_tensors *file, const char *key, const mo_json **root);

/* Appends a JSON list of texts; FORMAT where it is none. */
mopd_status mo_metadata_take_names(mo_names *out, const mo_json *list, const char *key, const char *path);

/* Both: appends the list of texts that stands at a key. */
mopd_status mo_metadata_read_names(mo_names *out, const mo_tensors *file, const char *key);

/* Declares what was written to text as a key's value, and frees it. */
mopd_status mo_metadata_write(mo_safetensors_writer *w, const char *key, mo_jsonw *j, mo_buf *text);
mopd_status mo_metadata_write_names(mo_safetensors_writer *w, const char *key, const mo_names *names);

#endif
