/* SPDX-License-Identifier: MIT
 * config_json.h - a configuration as JSON of our own: what a packed file holds, inspect shows and
 * the fingerprint covers. */
#ifndef MO_MODEL_CONFIG_JSON_H
#define MO_MODEL_CONFIG_JSON_H

#include "clip/config.h"
#include "format/json.h"

/* The whole, one object. */
void mo_config_json_write(const mo_config *config, mo_jsonw *w);

/* The same read back; `path` is the file named in messages.  VERSION: written by a newer library; UNSUPPORTED:
 * a word that is unknown here. */
mopd_status mo_config_json_read(mo_config *config, const mo_json *root, const char *path);

#endif
