/* SPDX-License-Identifier: MIT
 * cpu_mask.c - preloaded, lets every library of a process see a CPU with AVX2 and nothing newer.
 *
 *     cc -shared -fPIC -O2 -o cpu_mask.so tests/bench/cpu_mask.c
 *     LD_PRELOAD=./cpu_mask.so program
 *
 * Engines choose their code by CPUID, and most cannot be told otherwise.  Linux lets a process ask that CPUID
 * faults (arch_prctl ARCH_SET_CPUID, flag cpuid_fault of /proc/cpuinfo); the handler answers what the CPU
 * says, less AVX-512, AVX-VNNI, AVX10 and AMX.  New threads inherit this, programs started by this one get it
 * by LD_PRELOAD.  Without the flag it says so and ends the program: nothing is measured under a false name. */
#define _GNU_SOURCE
#include <cpuid.h>
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef ARCH_SET_CPUID
#define ARCH_SET_CPUID 0x1012
#endif

static struct sigaction before;

static int real_sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
    static int (*real)(int, const struct sigaction *, struct sigaction *);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "sigaction");
    return real(number, action, old);
}

static unsigned bits(const int *which)
{
    unsigned mask = 0;
    for (; *which >= 0; which++) mask |= 1u << *which;
    return mask;
}

/* What is newer than AVX2, by leaf and register (Intel SDM volume 2, CPUID). */
static void hide(unsigned leaf, unsigned sub, unsigned r[4])
{
    static const int ebx[] = {16, 17, 21, 26, 27, 28, 30, 31, -1}; /* AVX-512 F DQ IFMA PF ER CD BW VL */
    static const int ecx[] = {1, 6, 8, 9, 10, 11, 12, 14, -1};     /* VBMI VBMI2 GFNI VAES VPCLMUL VNNI ... */
    static const int edx[] = {2, 3, 8, 22, 23, 24, 25, -1};        /* 4VNNIW 4FMAPS VP2INTERSECT AMX FP16 */
    if (leaf == 7 && sub == 0) {
        r[1] &= ~bits(ebx);
        r[2] &= ~bits(ecx);
        r[3] &= ~bits(edx);
    }
    if (leaf == 7 && sub == 1) r[0] = r[1] = r[2] = r[3] = 0; /* AVX-VNNI, AVX512-BF16, AMX-FP16, AVX10 */
    if (leaf == 0x1d || leaf == 0x1e || leaf == 0x24) r[0] = r[1] = r[2] = r[3] = 0;
}

static void answer(greg_t *g)
{
    unsigned r[4], leaf = (unsigned)g[REG_RAX], sub = (unsigned)g[REG_RCX];
    syscall(SYS_arch_prctl, ARCH_SET_CPUID, 1);
    __cpuid_count(leaf, sub, r[0], r[1], r[2], r[3]);
    syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0);
    hide(leaf, sub, r);
    g[REG_RAX] = r[0], g[REG_RBX] = r[1], g[REG_RCX] = r[2], g[REG_RDX] = r[3];
    g[REG_RIP] += 2;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    ucontext_t *u = context;
    static const unsigned char cpuid[2] = {0x0f, 0xa2};
    if (info->si_code == SI_KERNEL && !memcmp((const void *)u->uc_mcontext.gregs[REG_RIP], cpuid, 2)) {
        answer(u->uc_mcontext.gregs);
        return;
    }
    real_sigaction(number, &before, NULL); /* not ours: it happens again, to whom it belongs */
}

/* Handlers for SIGSEGV that the program sets stand behind ours. */
int sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
    if (number != SIGSEGV) return real_sigaction(number, action, old);
    const struct sigaction former = before;
    if (action) before = *action;
    if (old) *old = former;
    return 0;
}

void (*signal(int number, void (*handler)(int)))(int)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;
    return sigaction(number, &action, &old) ? SIG_ERR : old.sa_handler;
}

__attribute__((constructor)) static void start(void)
{
    const struct sigaction ours = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
    real_sigaction(SIGSEGV, &ours, &before);
    if (syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0)) {
        fputs("cpu_mask: this CPU or kernel cannot hide its features (no cpuid_fault)\n", stderr);
        _exit(2);
    }
}
