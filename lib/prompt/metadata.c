/* SPDX-License-Identifier: MIT
 * metadata.c - texts and lists of names in metadata, read and written. */
#include "prompt/metadata.h"

#include <string.h>

#include "base/buf.h"
#include "base/stop.h"
#include "mopd/version.h"

mopd_status mo_metadata_need(const mo_tensors *file, const char *key, const char **out)
{
    *out = mo_tensors_meta(file, key);
    return *out ? MOPD_OK
                : mo_fail(MOPD_E_FORMAT, "%s: metadata \"%s\" is missing", mo_tensors_path(file), key);
}

mopd_status mo_metadata_write_head(mo_safetensors_writer *w, const char *kind, const char *fingerprint)
{
    const char *const texts[][2] = {{"mopd.kind", kind}, {"mopd.format", MO_METADATA_FORMAT},
        {"mopd.version", MOPD_VERSION_STRING}, {"mopd.fingerprint", fingerprint}};
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && st == MOPD_OK; i++)
        st = mo_safetensors_writer_meta(w, texts[i][0], texts[i][1]);
    return st;
}

mopd_status mo_metadata_read_head(
    const mo_tensors *file, const char *kind, const char *name, char fingerprint[65])
{
    const char *path = mo_tensors_path(file), *its, *format, *print;
    mopd_status st = mo_metadata_need(file, "mopd.kind", &its);
    if (st == MOPD_OK && strcmp(its, kind) != 0)
        st = mo_fail(MOPD_E_FORMAT, "%s: a %.40s, not a %s", path, its, name);
    if (st == MOPD_OK) st = mo_metadata_need(file, "mopd.format", &format);
    if (st == MOPD_OK && strcmp(format, MO_METADATA_FORMAT) != 0)
        st = mo_fail(
            MOPD_E_VERSION, "%s: %s format %.20s, known up to " MO_METADATA_FORMAT, path, name, format);
    if (st == MOPD_OK) st = mo_metadata_need(file, "mopd.fingerprint", &print);
    if (st == MOPD_OK && strlen(print) > 64)
        st = mo_fail(MOPD_E_FORMAT, "%s: its fingerprint is too long", path);
    if (st == MOPD_OK) strcpy(fingerprint, print);
    return st;
}

mopd_status mo_metadata_json(const mo_tensors *file, const char *key, const mo_json **root)
{
    const char *text;
    mopd_status st = mo_metadata_need(file, key, &text);
    if (st != MOPD_OK) return st;
    st = mo_json_parse(root, text, strlen(text), key);
    return st == MOPD_E_FORMAT ? mo_fail_at(st, "%s", mo_tensors_path(file)) : st;
}

mopd_status mo_metadata_take_names(mo_names *out, const mo_json *list, const char *key, const char *path)
{
    mopd_status st = MOPD_OK;
    if (mo_json_kind(list) != MO_JSON_ARRAY)
        return mo_fail(MOPD_E_FORMAT, "%s: metadata \"%s\" is not a list", path, key);
    for (size_t i = 0; i < mo_json_count(list) && st == MOPD_OK; i++) {
        const mo_json *item = mo_json_item(list, i);
        const char *name = NULL;
        if (!mo_json_as_string(item, &name) || strlen(name) != mo_json_string_bytes(item))
            return mo_fail(MOPD_E_FORMAT, "%s: item %zu of \"%s\" is not a text", path, i, key);
        st = mo_stop_check(MO_STOP_ENTRY);
        if (st == MOPD_OK) st = mo_names_add(out, name, strlen(name));
    }
    return st;
}

mopd_status mo_metadata_read_names(mo_names *out, const mo_tensors *file, const char *key)
{
    const mo_json *root = NULL;
    mopd_status st = mo_metadata_json(file, key, &root);
    if (st == MOPD_OK) st = mo_metadata_take_names(out, root, key, mo_tensors_path(file));
    mo_json_close(root);
    return st;
}

mopd_status mo_metadata_write(mo_safetensors_writer *w, const char *key, mo_jsonw *j, mo_buf *text)
{
    mopd_status st = mo_jsonw_done(j);
    if (st == MOPD_OK) st = mo_safetensors_writer_meta(w, key, text->data);
    mo_buf_free(text);
    return st;
}

mopd_status mo_metadata_write_names(mo_safetensors_writer *w, const char *key, const mo_names *names)
{
    mo_buf text = {0};
    mo_jsonw j;
    mo_jsonw_init(&j, &text);
    mo_jsonw_strings(&j, names->name, names->n);
    return mo_metadata_write(w, key, &j, &text);
}
