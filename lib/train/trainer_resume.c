/* SPDX-License-Identifier: MIT
 * trainer_resume.c - a trainer goes back to a checkpoint: read and compared first, taken over at the end. */
#include <string.h>

#include "base/floats.h"
#include "base/mem.h"
#include "base/view.h"
#include "format/json.h"
#include "train/trainer.h"

#define FIELD(key, field, real)                                                                              \
    {                                                                                                        \
        key, offsetof(mo_trainer_state, field), real                                                         \
    }

static const mo_trainer_position rows[] = {
    FIELD("epoch", epoch, false),
    FIELD("step", step, false),
    FIELD("total", total, false),
    FIELD("loss", sums.loss, true),
    FIELD("ce", sums.ce, true),
    FIELD("mpd", sums.mpd, true),
    FIELD("mps", sums.mps, true),
    FIELD("reg", sums.reg, true),
    FIELD("correct", sums.n_correct, false),
    FIELD("seen", sums.n_seen, false),
};

const mo_trainer_position *mo_trainer_position_row(size_t i)
{
    return i < sizeof rows / sizeof *rows ? &rows[i] : NULL;
}

static mopd_status same_list(const char *what, const mo_names *ours, const mo_names *theirs, const char *path)
{
    if (ours->n != theirs->n)
        return mo_fail(
            MOPD_E_MISMATCH, "%s: was made with %zu %s, the trainer has %zu", path, theirs->n, what, ours->n);
    for (size_t i = 0; i < ours->n; i++)
        if (strcmp(ours->name[i], theirs->name[i]) != 0)
            return mo_fail(MOPD_E_MISMATCH, "%s: %s %zu is \"%s\", the trainer has \"%s\"", path, what, i,
                theirs->name[i], ours->name[i]);
    return MOPD_OK;
}

/* Where the options leave the epochs open, the file says how many there are, and the next run compares: set and
 * json are the trainer's with them.  A file that says none keeps ours, and then differs. */
static mopd_status take_epochs(const mopd_trainer *t, const mopd_prompt *p, mo_settings *set, char **json)
{
    const mo_json *root = NULL;
    int64_t epochs = 0;
    *set = t->set;
    if (set->open_epochs) {
        mopd_status st = mo_json_parse(&root, p->settings, strlen(p->settings), "mopd.settings");
        if (st != MOPD_OK) return st;
        if (mo_json_as_int(mo_json_get(root, "epochs"), &epochs) && epochs > 0 && epochs <= UINT32_MAX)
            set->o.epochs = (uint32_t)epochs;
        mo_json_close(root);
    }
    return mo_settings_json(set, json);
}

/* What the pictures are, where both were told: counts alone do not see one that was replaced. */
static mopd_status check_pictures(const mopd_trainer *t, const mopd_prompt *p, const char *path)
{
    const char *ours = mo_prompt_notes_get(&t->notes.host, MOPD_NOTE_PICTURES),
               *theirs = mo_prompt_notes_get(&p->notes, MOPD_NOTE_PICTURES);
    if (!ours || !theirs || !strcmp(ours, theirs)) return MOPD_OK;
    return mo_fail(MOPD_E_MISMATCH,
        "%s: was made with other pictures: one was replaced, added, moved or removed since (%s, now %s)",
        path, theirs, ours);
}

static mopd_status check_same(
    const mopd_trainer *t, const char *settings, const mopd_prompt *p, const char *path)
{
    mopd_status st = mo_prompt_check(p, t->encoder, path);
    if (st == MOPD_OK) st = mo_settings_same(settings, p->settings, path);
    if (st == MOPD_OK) st = same_list("classes", &t->classes, &p->classes, path);
    if (st == MOPD_OK) st = same_list("templates", &t->templates, &p->templates, path);
    if (st == MOPD_OK) st = check_pictures(t, p, path);
    if (st != MOPD_OK) return st;
    if (mo_prompt_context_floats(p) != t->state.context.n || mo_prompt_gate_floats(p) != t->state.gate.n)
        return mo_fail(MOPD_E_MISMATCH, "%s: holds %zu and %zu numbers, the trainer %zu and %zu", path,
            mo_prompt_context_floats(p), mo_prompt_gate_floats(p), t->state.context.n, t->state.gate.n);
    return MOPD_OK;
}

static mopd_status read_whole(const mo_json *root, const char *key, const char *path, void *out)
{
    int64_t x = 0;
    mopd_status st = mo_json_need_int(root, key, path, &x);
    if (st == MOPD_OK && (x < 0 || x > INT64_MAX / 2))
        st = mo_fail(MOPD_E_FORMAT, "%s: position \"%s\" is %lld", path, key, (long long)x);
    memcpy(out, &(uint64_t){(uint64_t)x}, sizeof x);
    return st;
}

static mopd_status read_real(const mo_json *root, const char *key, const char *path, void *out)
{
    double x = 0;
    mopd_status st = mo_json_need_number(root, key, path, &x);
    memcpy(out, &x, sizeof x);
    return st;
}

/* The position and sums of a checkpoint; out has no arrays. */
static mopd_status read_position(const mo_tensors *file, mo_trainer_state *out)
{
    const char *path = mo_tensors_path(file), *text = mo_tensors_meta(file, "mopd.position");
    *out = (mo_trainer_state){0};
    if (!text) return mo_fail(MOPD_E_STATE, "%s: a prompt file, not a checkpoint: nothing to resume", path);
    const mo_json *root = NULL;
    mopd_status st = mo_json_parse(&root, text, strlen(text), "mopd.position");
    if (st != MOPD_OK) return mo_fail_at(st, "%s", path);
    for (size_t i = 0; i < sizeof rows / sizeof *rows && st == MOPD_OK; i++)
        st = (rows[i].real ? read_real : read_whole)(root, rows[i].key, path, (char *)out + rows[i].at);
    mo_json_close(root);
    return st;
}

/* A velocity into `out` (n floats). */
static mopd_status read_velocity(const mo_tensors *file, const char *name, float *out, size_t n)
{
    const mo_view *v;
    if (!n) return MOPD_OK;
    mopd_status st = mo_tensors_need(file, name, &v);
    if (st != MOPD_OK) return st;
    if (v->n != n || !mo_view_floats(v, 0, n, out) || !mo_floats_finite(out, n))
        return mo_fail(MOPD_E_FORMAT, "%s: tensor \"%s\" holds %zu numbers, %zu finite ones are needed",
            mo_tensors_path(file), name, v->n, n);
    return MOPD_OK;
}

/* Everything that may fail happens before this.  velocity: of the context, then of the gate. */
static void take_state(
    mo_trainer_state *state, const mo_trainer_state *at, const mopd_prompt *p, const float *velocity)
{
    mo_learned context = state->context, gate = state->gate;
    memcpy(context.p, p->context, context.n * sizeof(float));
    memcpy(context.v, velocity, context.n * sizeof(float));
    if (gate.n) {
        memcpy(gate.p, p->gate, gate.n * sizeof(float));
        memcpy(gate.v, velocity + context.n, gate.n * sizeof(float));
    }
    *state = *at;
    state->context = context;
    state->gate = gate;
}

/* The texts change places, so that freeing the prompt frees the old ones. */
static void take_notes(mo_trainer_notes *notes, mopd_prompt *p)
{
    char *data = notes->data, *use = notes->gate_use;
    notes->accuracy = p->info.accuracy;
    notes->data = p->data;
    notes->gate_use = p->gate_use;
    p->data = data;
    p->gate_use = use;
}

mopd_status mo_trainer_resume(mopd_trainer *t, const char *path)
{
    const size_t n_context = t->state.context.n, n_gate = t->state.gate.n;
    mo_tensors *file = NULL;
    mopd_prompt *p = NULL;
    char *settings = NULL;
    float *velocity = NULL;
    mo_settings set;
    mo_trainer_state at;
    mopd_status st = mo_safetensors_open(&file, path, true);
    if (st != MOPD_OK) return st;
    if ((st = mo_promptfile_read(&p, file)) != MOPD_OK) goto done;
    if ((st = take_epochs(t, p, &set, &settings)) != MOPD_OK) goto done;
    if ((st = check_same(t, settings, p, path)) != MOPD_OK) goto done;
    if ((st = read_position(file, &at)) != MOPD_OK) goto done;
    if (at.epoch > set.o.epochs)
        st = mo_fail(MOPD_E_FORMAT, "%s: %llu epochs of %u are done", path, (unsigned long long)at.epoch,
            (unsigned)set.o.epochs);
    if (st != MOPD_OK) goto done;
    st = MOPD_E_NOMEM;
    if (!(velocity = mo_mem_alloc(n_context + n_gate, sizeof *velocity))) goto done;
    if ((st = read_velocity(file, "velocity.context", velocity, n_context)) != MOPD_OK) goto done;
    if ((st = read_velocity(file, "velocity.gate", velocity + n_context, n_gate)) != MOPD_OK) goto done;
    if ((st = mo_prompt_notes_adopt(&t->notes.host, &p->notes)) != MOPD_OK) goto done;
    take_state(&t->state, &at, p, velocity);
    take_notes(&t->notes, p);
    t->set.o.epochs = set.o.epochs;
    mo_mem_free(t->settings);
    t->settings = settings;
    settings = NULL;
done:
    mo_mem_free(settings);
    mo_mem_free(velocity);
    mo_prompt_free(p);
    mo_tensors_close(file);
    return st;
}
