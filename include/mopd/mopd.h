/* SPDX-License-Identifier: MIT
 * mopd.h - all of libmopd: few-shot prompt learning and zero-shot classification with CLIP. */
#ifndef MOPD_H
#define MOPD_H

#include "version.h"
#include "status.h"
#include "runtime.h"
#include "image.h"
#include "frame.h"
#include "encoder.h"
#include "bank.h"
#include "prompt.h"
#include "gate.h"
#include "trainer.h"
#include "dataset.h"
#include "gda.h"
#include "recognizer.h"
#include "metrics.h"
#include "array.h"
#include "file.h"

#endif
