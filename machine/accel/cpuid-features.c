/*
 * The features of CPUID by the names that -cpu has for them, and the user's changes to
 * the model's.
 *
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */
#include <string.h>

#include "machine/accel/cpuid.h"

/* Intel SDM volume 2A, CPUID, tables 3-10, 3-11 and 3-8; AMD64 APM volume 3, appendix
 * E.4. NULL: reserved, or a repetition of leaf 1's. */
static const struct {
    uint32_t leaf;
    int reg;
    const char *names[32];
} words[] = {
    {0x1, CPUID_EDX, {"fpu",  "vme",   "de",   "pse",     "tsc",  "msr", "pae",  "mce",
                      "cx8",  "apic",  NULL,   "sep",     "mtrr", "pge", "mca",  "cmov",
                      "pat",  "pse36", "pn",   "clflush", NULL,   "ds",  "acpi", "mmx",
                      "fxsr", "sse",   "sse2", "ss",      "ht",   "tm",  "ia64", "pbe"}},
    {0x1,
     CPUID_ECX,
     {"pni",    "pclmulqdq", "dtes64", "monitor",      "ds-cpl", "vmx",    "smx",
      "est",    "tm2",       "ssse3",  "cid",          NULL,     "fma",    "cx16",
      "xtpr",   "pdcm",      NULL,     "pcid",         "dca",    "sse4.1", "sse4.2",
      "x2apic", "movbe",     "popcnt", "tsc-deadline", "aes",    "xsave",  NULL,
      "avx",    "f16c",      "rdrand", "hypervisor"}},
    {0x7, CPUID_EBX, {"fsgsbase", "tsc-adjust", "sgx",      "bmi1",       "hle",
                      "avx2",     NULL,         "smep",     "bmi2",       "erms",
                      "invpcid",  "rtm",        NULL,       NULL,         "mpx",
                      NULL,       "avx512f",    "avx512dq", "rdseed",     "adx",
                      "smap",     "avx512ifma", "pcommit",  "clflushopt", "clwb",
                      "intel-pt", "avx512pf",   "avx512er", "avx512cd",   "sha-ni",
                      "avx512bw", "avx512vl"}},
    {0x80000001,
     CPUID_EDX,
     {[11] = "syscall",
      [19] = "mp",
      [20] = "nx",
      [22] = "mmxext",
      [25] = "fxsr-opt",
      [26] = "pdpe1gb",
      [27] = "rdtscp",
      [29] = "lm",
      [30] = "3dnowext",
      [31] = "3dnow"}},
    {0x80000001, CPUID_ECX, {"lahf-lm",   "cmp-legacy",  "svm",
                             "extapic",   "cr8legacy",   "abm",
                             "sse4a",     "misalignsse", "3dnowprefetch",
                             "osvw",      "ibs",         "xop",
                             "skinit",    "wdt",         NULL,
                             "lwp",       "fma4",        "tce",
                             NULL,        "nodeid-msr",  NULL,
                             "tbm",       "topoext",     "perfctr-core",
                             "perfctr-nb"}},
};

/* Of the process's one CPU model: what -cpu adds and takes away. */
static uint32_t added[G_N_ELEMENTS(words)], removed[G_N_ELEMENTS(words)];

const char *cpuid_feature(unsigned i, uint32_t *leaf, int *reg, unsigned *bit)
{
    for (size_t word = 0; word < G_N_ELEMENTS(words); word++) {
        for (unsigned n = 0; n < 32; n++) {
            if (words[word].names[n] && i-- == 0) {
                *leaf = words[word].leaf;
                *reg = words[word].reg;
                *bit = n;
                return words[word].names[n];
            }
        }
    }
    return NULL;
}

bool cpuid_feature_set(const char *name, bool on)
{
    g_autofree char *spelled = g_strdelimit(g_strdup(name), "_", '-');

    for (size_t word = 0; word < G_N_ELEMENTS(words); word++) {
        for (unsigned bit = 0; bit < 32; bit++) {
            if (g_strcmp0(words[word].names[bit], spelled) == 0) {
                added[word] = (added[word] & ~(UINT32_C(1) << bit)) | (uint32_t)on << bit;
                removed[word] = (removed[word] & ~(UINT32_C(1) << bit)) | (uint32_t)!on
                                                                              << bit;
                return true;
            }
        }
    }
    return false;
}

void cpuid_apply_features(uint32_t leaf, uint32_t values[CPUID_REGISTERS])
{
    for (size_t word = 0; word < G_N_ELEMENTS(words); word++) {
        if (words[word].leaf == leaf) {
            values[words[word].reg] |= added[word];
            values[words[word].reg] &= ~removed[word];
        }
    }
}
