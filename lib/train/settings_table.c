/* SPDX-License-Identifier: MIT
 * settings_table.c - the one place that holds defaults and limits of a trainer's options.
 *
 * Defaults, range checks and their messages, the prompt file's JSON, the command's help and Python's signatures
 * are all made from this table; tests/train/test_settings.c compares what is written elsewhere. */
#include <string.h>

#include "base/words.h"
#include "prompt/context.h"
#include "prompt/student.h"
#include "train/settings.h"

#define MANY                                                                                                 \
    1048576 /* of epochs, vectors, pictures in a batch: far more than anyone needs, and products fit */
#define LARGE 1e6

static bool distils(const mo_method *m)
{
    return m->distils;
}

static bool has_mps(const mo_method *m)
{
    return m->mps;
}

static bool has_gate(const mo_method *m)
{
    return m->gate != MO_GATE_NONE;
}

static bool has_regulariser(const mo_method *m)
{
    return m->kg || m->project;
}

static bool has_temperature(const mo_method *m)
{
    return m->distils || m->project;
}

#define FIELD(field)                                                                                         \
    .at = offsetof(mopd_trainer_options, field), .bytes = sizeof(((mopd_trainer_options *)0)->field)
#define INFO(kind_, name_, preset_, least_, most_)                                                           \
    .info.struct_size = sizeof(mopd_setting), .info.kind = (kind_), .info.name = (name_),                    \
    .info.preset = (preset_), .info.least = (least_), .info.most = (most_)
#define COUNT(field, preset, least, most) INFO(MOPD_SETTING_COUNT, #field, preset, least, most), FIELD(field)
#define REAL(field, preset, least, most) INFO(MOPD_SETTING_REAL, #field, preset, least, most), FIELD(field)
#define FLAG(name, preset, bit_) INFO(MOPD_SETTING_FLAG, name, preset, 0, 1), FIELD(flags), .bit = (bit_)
#define CHOICE(field, preset, names, n)                                                                      \
    INFO(MOPD_SETTING_CHOICE, #field, preset, 0, (n)-1), FIELD(field), .info.choices = (names)

static const mo_setting table[] = {
    {CHOICE(method, MOPD_METHOD_MOPD, mo_method_names, MO_METHODS), .info.text = "how the prompt is learned"},
    {COUNT(n_context, 0, 0, MANY), .info.text = "number of context vectors",
        .info.open =
            "as many as the words of context have tokens, " MO_WORDS_OF(MO_CONTEXT_VECTORS) " without words"},
    {INFO(MOPD_SETTING_TEXT, "context", 0, 0, 0), FIELD(context),
        .info.text = "words that the context vectors start from; without words they start at random",
        .info.preset_text = "a photo of a"},
    {CHOICE(class_position, MOPD_CLASS_END, mo_context_positions, MO_CONTEXT_POSITIONS),
        .info.text = "where the class name stands among the context vectors"},
    {FLAG("class_context", 0, MOPD_TRAIN_CLASS_CONTEXT),
        .info.text = "each class has context vectors of its own, which serve no other class"},
    {FLAG("shuffle", 1, MOPD_TRAIN_NO_SHUFFLE), .info.text = "pictures come in another order in each epoch"},
    {COUNT(epochs, 0, 1, MANY), .info.text = "how often all pictures are seen",
        .info.open = MO_WORDS_OF(MO_SETTINGS_EPOCHS) ", more where they are fewer than " MO_WORDS_OF(
            MO_SETTINGS_PAIR_STEPS) " steps for each pair of classes, up to " MO_WORDS_OF(MO_SETTINGS_STEPS) " steps"},
    {COUNT(steps, 0, 1, MANY),
        .info.text = "how many steps a training takes, in whole epochs; instead of epochs",
        .info.open = "what epochs say", .unrecorded = true},
    {COUNT(batch, 128, 1, MANY), .info.text = "pictures in one step"},
    {REAL(lr, 0, 1e-12, LARGE), .info.text = "learning rate",
        .info.open = "what the model recommends, else " MO_WORDS_OF(MO_SETTINGS_LR)},
    {REAL(warmup_lr, 1e-5, 0, LARGE), .info.text = "learning rate of the first epoch"},
    {REAL(momentum, 0.9, 0, 1), .info.text = "share of the last step that the next one repeats"},
    {REAL(weight_decay, 5e-4, 0, LARGE), .info.text = "how strongly parameters are drawn to 0"},
    {REAL(lambda, -1, 0, LARGE), .info.text = "weight of the regulariser of kgcoop and prograd",
        .info.open = MO_WORDS_OF(MO_METHOD_KGCOOP_LAMBDA) " for kgcoop, " MO_WORDS_OF(
            MO_METHOD_PROGRAD_LAMBDA) " for prograd",
        .used = has_regulariser},
    {REAL(w, 0.8, 0, 1), .info.text = "share of the labels in loss = w CE + (1 - w) MPD + w2 MPS",
        .used = distils},
    {REAL(temperature, 1, 1e-3, LARGE), .info.text = "temperature of the distillation",
        .used = has_temperature},
    {REAL(w2, 0.1, 0, LARGE), .info.text = "weight of the teachers' own cross-entropy, MPS", .used = has_mps},
    {COUNT(top_k, 2, 1, MANY), .info.text = "teachers kept for a picture", .used = has_gate},
    {COUNT(seed, 1, 0, 18446744073709551615.0),
        .info.text = "seed of shuffling, of random vectors and of teachers drawn at random"},
    {COUNT(memory_limit, 0, 0, 18446744073709551615.0),
        .info.text = "bytes for the work of the text tower; beyond them classes go in chunks",
        .info.open = MO_WORDS_OF(MO_STUDENT_MIB) " MiB", .unrecorded = true},
};

const mo_setting *mo_settings_row(size_t i)
{
    return i < sizeof table / sizeof *table ? &table[i] : NULL;
}

uint64_t mo_settings_whole(const mo_setting *row, const mopd_trainer_options *o)
{
    const char *field = (const char *)o + row->at;
    uint32_t word;
    uint64_t whole;
    if (row->bytes == sizeof whole) {
        memcpy(&whole, field, sizeof whole);
        return whole;
    }
    memcpy(&word, field, sizeof word);
    return row->bit ? ((word & row->bit) != 0) != (row->info.preset > 0) : word;
}

float mo_settings_real(const mo_setting *row, const mopd_trainer_options *o)
{
    float x;
    memcpy(&x, (const char *)o + row->at, sizeof x);
    return x;
}

/* Writes the preset into the row's field; a flag's field is 0 while all flags are as preset. */
static void preset(const mo_setting *row, mopd_trainer_options *o)
{
    char *field = (char *)o + row->at;
    const float real = (float)row->info.preset;
    const uint64_t whole = row->info.preset > 0 ? (uint64_t)row->info.preset : 0;
    const uint32_t word = (uint32_t)whole;
    if (row->info.kind == MOPD_SETTING_TEXT)
        memcpy(field, &row->info.preset_text, sizeof row->info.preset_text);
    else if (row->info.kind == MOPD_SETTING_REAL)
        memcpy(field, &real, sizeof real);
    else if (row->bytes == sizeof whole)
        memcpy(field, &whole, sizeof whole);
    else if (!row->bit)
        memcpy(field, &word, sizeof word);
}

mopd_trainer_options mo_settings_defaults(void)
{
    mopd_trainer_options o = {.struct_size = sizeof o};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) preset(&table[i], &o);
    return o;
}
