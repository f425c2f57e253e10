/* SPDX-License-Identifier: MIT
 * clock.h - time that passes. */
#ifndef MO_BASE_CLOCK_H
#define MO_BASE_CLOCK_H

/* Seconds of a clock that only runs forward. */
double mo_clock_seconds(void);

#endif
