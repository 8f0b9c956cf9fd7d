/*
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include "qtests/fuzz/fuzz.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHRINK_SECONDS 120

bool fuzz_verbose;

/* -- Random numbers (SplitMix64: Steele, Lea, Flood, OOPSLA 2014) ------------------ */

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t fuzz_random(FuzzRandom *random)
{
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    return mix(random->state);
}

uint64_t fuzz_below(FuzzRandom *random, uint64_t limit)
{
    return fuzz_random(random) % limit;
}

bool fuzz_once_in(FuzzRandom *random, unsigned n)
{
    return fuzz_below(random, n) == 0;
}

uint64_t fuzz_value(FuzzRandom *random)
{
    uint64_t bit = UINT64_C(1) << fuzz_below(random, 64);

    switch (fuzz_below(random, 8)) {
    case 0:
        return 0;
    case 1:
        return UINT64_MAX;
    case 2:
        return bit;
    case 3:
        return bit - 1;
    case 4:
        return -bit;
    case 5:
        return fuzz_below(random, 256);
    default:
        return fuzz_random(random);
    }
}

/* -- Sequences --------------------------------------------------------------------- */

static uint64_t step_number(uint64_t seed, unsigned n)
{
    return mix(seed * UINT64_C(0x9e3779b97f4a7c15) + n + 1);
}

static void run_here(const Fuzz *fuzz, uint64_t seed, const GArray *steps)
{
    fuzz->start(seed);
    for (guint i = 0; i < steps->len; i++) {
        alarm(FUZZ_STEP_SECONDS);
        if (!fuzz->step(step_number(seed, g_array_index(steps, unsigned, i)))) {
            break;
        }
    }
    if (fuzz->finish) {
        alarm(FUZZ_STEP_SECONDS);
        fuzz->finish();
    }
}

/* Whether the child lives through it. */
static bool survives(const Fuzz *fuzz, uint64_t seed, const GArray *steps, bool verbose)
{
    int status = 0;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR);
        fuzz_verbose = verbose;
        if (!verbose && !freopen("/dev/null", "w", stderr)) {
            _exit(3);
        }
        run_here(fuzz, seed, steps);
        fflush(NULL);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("fuzz");
        exit(2);
    }
    if (verbose && WIFSIGNALED(status)) {
        printf("killed by signal %d (%s)\n", WTERMSIG(status),
               strsignal(WTERMSIG(status)));
    } else if (verbose) {
        printf("exit status %d\n", WEXITSTATUS(status));
    }
    return status == 0;
}

static GArray *without(const GArray *steps, guint from, guint count)
{
    GArray *rest = g_array_new(FALSE, FALSE, sizeof(unsigned));

    g_array_append_vals(rest, steps->data, from);
    g_array_append_vals(rest, (unsigned *)(void *)steps->data + from + count,
                        steps->len - from - count);
    return rest;
}

/* Leaves steps out for as long as the rest still fails: first halves, at last single
 * ones. */
static GArray *shrink(const Fuzz *fuzz, uint64_t seed, GArray *steps)
{
    gint64 until = g_get_monotonic_time() + SHRINK_SECONDS * G_USEC_PER_SEC;

    for (guint part = MAX(steps->len / 2, 1);; part = MAX(part / 2, 1)) {
        bool shorter = false;

        for (guint from = 0; from < steps->len && g_get_monotonic_time() < until;) {
            guint count = MIN(part, steps->len - from);
            GArray *rest = without(steps, from, count);

            if (rest->len && !survives(fuzz, seed, rest, false)) {
                g_array_unref(steps);
                steps = rest;
                shorter = true;
            } else {
                g_array_unref(rest);
                from += count;
            }
        }
        if ((part == 1 && !shorter) || g_get_monotonic_time() >= until) {
            return steps;
        }
    }
}

static bool attack(const Fuzz *fuzz, uint64_t seed, unsigned count)
{
    GArray *steps = g_array_new(FALSE, FALSE, sizeof(unsigned));
    bool alive;

    for (unsigned i = 0; i < count; i++) {
        g_array_append_val(steps, i);
    }
    alive = survives(fuzz, seed, steps, false);
    if (!alive) {
        printf("%s: --seed %" G_GUINT64_FORMAT " --steps %u --once fails; shrinking\n",
               fuzz->name, seed, count);
        steps = shrink(fuzz, seed, steps);
        printf("%u steps are left:\n", steps->len);
        fflush(stdout);
        alive = survives(fuzz, seed, steps, true);
        printf("%s\n", alive ? "(and they do not fail every time)" : "");
    }
    g_array_unref(steps);
    return alive;
}

int fuzz_main(const Fuzz *fuzz, int argc, char **argv)
{
    gint64 seed = 1, seconds = 20, until;
    int count = (int)fuzz->steps;
    gboolean once = FALSE;
    const GOptionEntry entries[] = {
        {"seed", 0, 0, G_OPTION_ARG_INT64, &seed, "of the first sequence", "N"},
        {"seconds", 0, 0, G_OPTION_ARG_INT64, &seconds, "how long", "N"},
        {"steps", 0, 0, G_OPTION_ARG_INT, &count, "of a sequence", "N"},
        {"once", 0, 0, G_OPTION_ARG_NONE, &once, "run that sequence alone", NULL},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    GError *error = NULL;
    unsigned sequences = 0, failures = 0;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "%s: %s\n", fuzz->name, error->message);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("%s: --seed %" G_GINT64_FORMAT "\n", fuzz->name, seed);
    until = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
    do {
        failures += !attack(fuzz, (uint64_t)seed++, (unsigned)MAX(count, 1));
        sequences++;
    } while (!once && failures == 0 && g_get_monotonic_time() < until);
    printf("%s: %u sequences of %d steps, %u failed\n", fuzz->name, sequences, count,
           failures);
    return failures != 0;
}
