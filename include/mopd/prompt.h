/* SPDX-License-Identifier: MIT
 * prompt.h - a learned prompt: what training leaves behind, as a small safetensors file.
 *
 * It holds context vectors and, where the method has one, the gate; no class is built in, so one prompt serves
 * any list of class names (unless its context is class-specific).  Immutable once open: any number of threads. */
#ifndef MOPD_PROMPT_H
#define MOPD_PROMPT_H

#include "bank.h"

MOPD_BEGIN_DECLS

typedef struct mopd_prompt mopd_prompt;

/* How a prompt is learned.  The teachers are the templates of the trainer's options. */
#define MOPD_METHOD_MOPD 0        /* gated mixture of prompts (arXiv 2412.19087) */
#define MOPD_METHOD_MOPD_STATIC 1 /* one learned score a template, the same for all pictures, no MPS */
#define MOPD_METHOD_MOPD_RANDOM 2 /* K templates drawn anew for each picture and step, no MPS */
#define MOPD_METHOD_KD 3          /* distillation from the first template alone */
#define MOPD_METHOD_COOP 4        /* cross-entropy alone (arXiv 2109.01134) */
#define MOPD_METHOD_KGCOOP 5      /* kept near the first template's features (arXiv 2303.13283) */
#define MOPD_METHOD_PROGRAD 6     /* gradients that do not oppose the first template (arXiv 2205.14865) */

/* Where the class name stands among the context vectors. */
#define MOPD_CLASS_END 0
#define MOPD_CLASS_MIDDLE 1
#define MOPD_CLASS_FRONT 2

/* Flags of mopd_prompt_info. */
#define MOPD_PROMPT_CLASS_CONTEXT UINT32_C(1) /* each class has vectors of its own: no other classes */
#define MOPD_PROMPT_CHECKPOINT UINT32_C(2)    /* of a training that can be resumed */
#define MOPD_PROMPT_GATE UINT32_C(4)          /* holds a gate, or static scores */

typedef struct mopd_prompt_info {
    uint32_t struct_size;
    uint32_t flags;         /* MOPD_PROMPT_... */
    uint32_t format;        /* of the file: 1 */
    int32_t method;         /* MOPD_METHOD_... */
    int32_t class_position; /* MOPD_CLASS_... */
    uint32_t n_context;     /* vectors */
    uint32_t text_width;    /* W, floats of a vector */
    uint32_t dim;           /* D, width of a feature */
    uint32_t n_classes;     /* trained on */
    uint32_t n_templates;   /* M, 0 where the method needs none */
    uint32_t top_k;         /* K */
    uint32_t epoch;         /* epochs done */
    double accuracy;        /* on the training pictures in percent, negative: not measured */
} mopd_prompt_info;

/* The name of a method, "mopd-static", as the command and files write it; NULL for an unknown number.  And the
 * number of a name: ARG for an unknown one; the message lists those there are.  Names are static.  Any
 * thread.  Since 0.1. */
MOPD_API const char *mopd_method_name(int32_t method);
MOPD_API mopd_status mopd_method_find(const char *name, int32_t *method);

/* Opens a prompt file or a checkpoint, which is read whole.  With an encoder (may be NULL) the file must have
 * been made with the same model and vocabulary: MISMATCH names both fingerprints.  Without one it can be looked
 * at, and is compared when a bank is made.
 *
 * IO: cannot be read; FORMAT: not a prompt file, cut short, or its arrays are not what its text says; VERSION:
 * of a newer library.  Files are untrusted input and may come from anywhere.  Close with
 * mopd_prompt_close.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_prompt_open(mopd_prompt **out, const char *path, const mopd_encoder *encoder);

/* Writes the prompt, never as a checkpoint: a few kilobytes that any safetensors reader opens.  It is written beside
 * path, synced and renamed; the same prompt gives the same bytes.  IO: cannot be written, with the system's reason.
 * Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_prompt_save(const mopd_prompt *prompt, const char *path);

/* Frees the prompt; takes NULL.  Banks and gates that were made from it hold copies and live on.  No call with it may
 * be running.  Since 0.1. */
MOPD_API void mopd_prompt_close(mopd_prompt *prompt);

/* Fills info, whose struct_size the caller has set to sizeof *info: sizes, method, what it was trained on.  A
 * shorter struct gets what fits, of a longer one the rest is zero.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_prompt_get_info(const mopd_prompt *prompt, mopd_prompt_info *info);

/* Everything the file says as one JSON object in *json: method, settings, templates, fingerprint, classes,
 * data, accuracy, how often the gate took each template, notes.  What `mopd inspect` prints.  Free with
 * mopd_free.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_prompt_describe(const mopd_prompt *prompt, char **json);

/* The context vectors, n_context x text_width floats (class-specific: n_classes x n_context x text_width),
 * which stand where the embeddings of words would; the gate, dim x n_templates floats, NULL where the method
 * has none or its scores do not look at the picture.  Owned by the prompt; NULL for NULL.  Any
 * thread.  Since 0.1. */
MOPD_API const float *mopd_prompt_context(const mopd_prompt *prompt);
MOPD_API const float *mopd_prompt_gate(const mopd_prompt *prompt);

/* The name of a class that was trained on, and the text of a template that was a teacher, by index; NULL beyond
 * the last.  Owned by the prompt.  Any thread.  Since 0.1. */
MOPD_API const char *mopd_prompt_class_name(const mopd_prompt *prompt, size_t index);
MOPD_API const char *mopd_prompt_template(const mopd_prompt *prompt, size_t index);

/* A bank of any classes with the learned prompt: start token, context and name go through the text tower, and
 * one text a class is all it takes.  Classes that nobody trained on work as well; n_classes 0: the classes
 * trained on.  The bank holds copies.
 *
 * ARG as mopd_bank_create; MISMATCH: another encoder's prompt; STATE: a class-specific prompt meets a class it
 * was not trained on (named).  Free with mopd_bank_free.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_bank_create_prompt(mopd_bank **out, const mopd_encoder *encoder,
    const char *const *classes, size_t n_classes, const mopd_prompt *prompt);

/* The same, where classes that the prompt was not trained on take the context only part of the way from the words
 * that it started from: start + share (learned - start).  Classes that it was trained on, by the same words, keep
 * it whole.  share 1 is mopd_bank_create_prompt, the published method; 0 are the words themselves; 0.5 serves new
 * classes better, the more the longer the training was, and is what the command takes.  A context that
 * started from random numbers has no words to go back to and stays as it is.
 *
 * ARG: a share that is not between 0 and 1; FORMAT: the file's words are not as many tokens as its context has
 * vectors; else as mopd_bank_create_prompt.  Any thread.  Since 0.1. */
MOPD_API mopd_status mopd_bank_create_prompt_unseen(mopd_bank **out, const mopd_encoder *encoder,
    const char *const *classes, size_t n_classes, const mopd_prompt *prompt, float share);

MOPD_END_DECLS

#endif
