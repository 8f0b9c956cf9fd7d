/*
 * Fuzz: runs a random sequence of steps in a child process, again and again, and makes a
 * sequence that kills the child short.
 *
 * A step is a 64-bit number of which all that it does follows, so that a sequence is
 * repeated by its numbers alone and any part of it is a sequence too. A step that takes
 * longer than FUZZ_STEP_SECONDS is a failure, as are all signals, the sanitizers' reports
 * and GLib's criticals.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#ifndef QTESTS_FUZZ_FUZZ_H
#define QTESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FUZZ_STEP_SECONDS 10

typedef struct Fuzz {
    const char *name;
    unsigned steps; /* of one sequence */
    /* Makes what is attacked; in the child, before the first step. `seed` is that of the
     * sequence. */
    void (*start)(uint64_t seed);
    /* False: this was the last step. */
    bool (*step)(uint64_t number);
    void (*finish)(
        void); /* may be NULL: checks that all is well, before the child ends */
} Fuzz;

/* Whether steps are to print what they do: they are about to fail. */
extern bool fuzz_verbose;

/* Random numbers; the same sequence for the same seed. */
typedef struct FuzzRandom {
    uint64_t state;
} FuzzRandom;

uint64_t fuzz_random(FuzzRandom *random);
/* 0 <= result < limit */
uint64_t fuzz_below(FuzzRandom *random, uint64_t limit);
/* True once in n times. */
bool fuzz_once_in(FuzzRandom *random, unsigned n);
/* A number that hurts: all ones, a power of two or next to one, small, or any. */
uint64_t fuzz_value(FuzzRandom *random);

/* The fuzzer as a program: --seed N, --seconds N, --steps N, --once (that seed alone).
 * Returns its exit status. */
int fuzz_main(const Fuzz *fuzz, int argc, char **argv);

#endif
