/* SPDX-License-Identifier: MIT
 * promptfile_write.c - prompt files and checkpoints written. */
#include "base/buf.h"
#include "format/json.h"
#include "mopd/version.h"
#include "prompt/metadata.h"
#include "prompt/method.h"
#include "prompt/promptfile.h"

static mopd_status meta_number(mo_safetensors_writer *w, const char *key, double x)
{
    char text[32];
    mo_jsonw_double_text(text, x);
    return mo_safetensors_writer_meta(w, key, text);
}

static mopd_status meta_notes(mo_safetensors_writer *w, const mopd_prompt *p)
{
    mo_buf key = {0};
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < p->notes.key.n && st == MOPD_OK; i++) {
        key.size = 0;
        if ((st = mo_buf_addf(&key, "note.%s", p->notes.key.name[i])) != MOPD_OK) break;
        st = mo_safetensors_writer_meta(w, key.data, p->notes.text.name[i]);
    }
    mo_buf_free(&key);
    return st;
}

static mopd_status write_meta(mo_safetensors_writer *w, const mopd_prompt *p, const mo_checkpoint *checkpoint)
{
    const char *const texts[][2] = {
        {MO_PROMPT_KIND, checkpoint ? "checkpoint" : "prompt"},
        {"mopd.version", MOPD_VERSION_STRING},
        {"mopd.method", mo_method_name(p->info.method)},
        {"mopd.fingerprint", p->fingerprint},
        {"mopd.vocabulary", *p->vocabulary ? p->vocabulary : NULL},
        {"mopd.settings", p->settings},
        {"mopd.data", p->data},
        {"mopd.gate_use", p->gate_use},
        {"mopd.position", checkpoint ? checkpoint->position : NULL},
    };
    mopd_status st = MOPD_OK;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && st == MOPD_OK; i++)
        if (texts[i][1]) st = mo_safetensors_writer_meta(w, texts[i][0], texts[i][1]);
    if (st == MOPD_OK) st = meta_number(w, "mopd.format", MO_PROMPT_FORMAT);
    if (st == MOPD_OK) st = meta_number(w, "mopd.dim", p->info.dim);
    if (st == MOPD_OK) st = meta_number(w, "mopd.epoch", p->info.epoch);
    if (st == MOPD_OK && p->info.accuracy >= 0) st = meta_number(w, "mopd.accuracy", p->info.accuracy);
    if (st == MOPD_OK) st = mo_metadata_write_names(w, "mopd.classes", &p->classes);
    if (st == MOPD_OK) st = mo_metadata_write_names(w, "mopd.templates", &p->templates);
    return st == MOPD_OK ? meta_notes(w, p) : st;
}

/* The shape of the context; returns its number of dimensions. */
static int context_shape(const mopd_prompt *p, size_t shape[3])
{
    int at = 0;
    if (p->info.flags & MOPD_PROMPT_CLASS_CONTEXT) shape[at++] = p->info.n_classes;
    shape[at++] = p->info.n_context;
    shape[at++] = p->info.text_width;
    return at;
}

int mo_promptfile_gate_shape(const mopd_prompt *p, size_t shape[3])
{
    int at = 0;
    if (!p->static_gate) shape[at++] = p->info.dim;
    shape[at++] = p->info.n_templates;
    return at;
}

static mopd_status declare(
    mo_safetensors_writer *w, const mopd_prompt *p, const char *context, const char *gate)
{
    size_t shape[3];
    int n = context_shape(p, shape);
    mopd_status st = mo_safetensors_writer_tensor(w, context, MO_F32, n, shape);
    if (st != MOPD_OK || !p->gate) return st;
    n = mo_promptfile_gate_shape(p, shape);
    return mo_safetensors_writer_tensor(w, gate, MO_F32, n, shape);
}

static mopd_status write_pair(
    mo_safetensors_writer *w, const mopd_prompt *p, const float *context, const float *gate)
{
    mopd_status st = mo_safetensors_writer_floats(w, context, mo_prompt_context_floats(p));
    return st == MOPD_OK && p->gate ? mo_safetensors_writer_floats(w, gate, mo_prompt_gate_floats(p)) : st;
}

mopd_status mo_promptfile_save(const mopd_prompt *p, const mo_checkpoint *checkpoint, const char *path)
{
    mo_safetensors_writer *w = NULL;
    mopd_status st = mo_safetensors_writer_create(&w);
    if (st != MOPD_OK) return st;
    if ((st = write_meta(w, p, checkpoint)) != MOPD_OK) goto done;
    if ((st = declare(w, p, "context", "gate")) != MOPD_OK) goto done;
    if (checkpoint && (st = declare(w, p, "velocity.context", "velocity.gate")) != MOPD_OK) goto done;
    if ((st = mo_safetensors_writer_begin(w, path)) != MOPD_OK) goto done;
    if ((st = write_pair(w, p, p->context, p->gate)) != MOPD_OK) goto done;
    if (checkpoint && (st = write_pair(w, p, checkpoint->context, checkpoint->gate)) != MOPD_OK) goto done;
    st = mo_safetensors_writer_commit(w);
done:
    mo_safetensors_writer_free(w);
    return st;
}
