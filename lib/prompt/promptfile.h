/* SPDX-License-Identifier: MIT
 * promptfile.h - a learned prompt in memory, and its file (docs/files.md).
 *
 *     tensor context   n_context x W, or C x n_context x W when class-specific           F32
 *     tensor gate      D x M, or M static scores; only where the method has one           F32
 *     metadata         mopd.kind, .format, .version, .method, .fingerprint, .vocabulary, .dim, .epoch: plain texts
 *                      mopd.settings, .templates, .classes, .data, .gate_use: JSON
 *                      mopd.accuracy: in percent;  note.*: as the host wrote them
 *
 * A checkpoint has more: "mopd.position" (JSON) and the tensors velocity.context, velocity.gate. */
#ifndef MO_PROMPT_PROMPTFILE_H
#define MO_PROMPT_PROMPTFILE_H

#include "base/names.h"
#include "format/safetensors.h"
#include "mopd/prompt.h"

#define MO_PROMPT_FORMAT 1
#define MO_PROMPT_KIND "mopd.kind" /* metadata that says "prompt" or "checkpoint" */

/* What hosts write into a prompt file, "note." and the key in front of each text. */
typedef struct mo_prompt_notes {
    mo_names key, text; /* of one length */
} mo_prompt_notes;

struct mopd_prompt {
    mopd_prompt_info info;
    float *context, *gate; /* gate: D x M, M scores, or NULL */
    bool static_gate;
    mo_names classes, templates;
    char fingerprint[65], vocabulary[65]; /* vocabulary: "" in files of early 0.1 */
    char *settings, *data, *gate_use;     /* JSON; data and gate_use may be NULL */
    char *version;                        /* of the library that wrote the file; NULL: this one */
    mo_prompt_notes notes;
};

/* What a checkpoint holds beside its prompt. */
typedef struct mo_checkpoint {
    const char *position;        /* JSON */
    const float *context, *gate; /* velocities, shaped as the prompt's arrays */
} mo_checkpoint;

size_t mo_prompt_context_floats(const mopd_prompt *prompt);
size_t mo_prompt_gate_floats(const mopd_prompt *prompt); /* 0 without a gate */

/* An empty prompt; the caller fills it.  NULL: no memory. */
mopd_prompt *mo_prompt_create(void);
void mo_prompt_free(mopd_prompt *prompt);

/* Adds a note whose key is not there yet. */
mopd_status mo_prompt_notes_add(mo_prompt_notes *notes, const char *key, const char *text);

/* Adds a note, or replaces the one of the same key. */
const char *mo_prompt_notes_get(const mo_prompt_notes *notes, const char *key); /* NULL: there is none */
mopd_status mo_prompt_notes_set(mo_prompt_notes *notes, const char *key, const char *text);

/* Adds those of `from` whose keys are not there yet. */
mopd_status mo_prompt_notes_adopt(mo_prompt_notes *notes, const mo_prompt_notes *from);
void mo_prompt_notes_free(mo_prompt_notes *notes);

/* The shape of the gate: D x M, or M static scores; returns the number of dimensions. */
int mo_promptfile_gate_shape(const mopd_prompt *prompt, size_t shape[3]);

/* A copy of what banks need: context, settings, classes, and whose model it is; no gate, no notes. */
mopd_status mo_prompt_copy(mopd_prompt **out, const mopd_prompt *from);

/* Writes path; checkpoint NULL: a prompt file. */
mopd_status mo_promptfile_save(const mopd_prompt *prompt, const mo_checkpoint *checkpoint, const char *path);

/* Reads path.  FORMAT, VERSION as mopd_prompt_open; no encoder is compared. */
mopd_status mo_promptfile_open(mopd_prompt **out, const char *path);

/* The same from an open file. */
mopd_status mo_promptfile_read(mopd_prompt **out, const mo_tensors *file);

/* Whether an open file says it is a prompt or a checkpoint. */
bool mo_promptfile_is(const mo_tensors *file);

/* The JSON text of mopd_prompt_describe; mo_mem_free it. */
mopd_status mo_prompt_describe(const mopd_prompt *prompt, char **json);

/* MISMATCH with both fingerprints, or sizes. */
mopd_status mo_prompt_check(const mopd_prompt *prompt, const mopd_encoder *encoder, const char *path);

/* As mopd_bank_create_prompt, and as mopd_bank_create_prompt_unseen. */
mopd_status mo_prompt_bank(mopd_bank **out, const mopd_encoder *encoder, const char *const *classes,
    size_t n_classes, const mopd_prompt *prompt);
mopd_status mo_prompt_bank_unseen(mopd_bank **out, const mopd_encoder *encoder, const char *const *classes,
    size_t n_classes, const mopd_prompt *prompt, float share);

#endif
