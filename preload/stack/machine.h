/* SPDX-License-Identifier: MIT */
/*
 * machine.h: what a walk must know of the processor: registers, frames, signals.
 *
 * Where a call leaves the return address in a register (the link), a function that calls others saves it where it likes,
 * and perhaps signs it.
 */
#ifndef STACK_MACHINE_H
#define STACK_MACHINE_H

#include <stdint.h>

#if defined(__x86_64__)

/* Columns of the call frame information. */
enum { COLUMN_FP = 6, COLUMN_SP = 7, COLUMN_RETURN = 16 };

enum {
	MACHINE_HAS_LINK = 0,       /* a call pushes the return address */
	MACHINE_CODE_ALIGN_LOG = 0, /* of instructions */
	MACHINE_CFA_OP = 0,         /* no call frame instruction of its own */
};

/* Where the kernel leaves registers, from sp in the function that a signal handler returns to. */
enum {
	SIGNAL_FLAGS = 0,
	SIGNAL_FP = 120,
	SIGNAL_LINK = 0, /* none */
	SIGNAL_SP = 160,
	SIGNAL_IP = 168
};

/* mov $15, %rax; syscall */
static const uint8_t machine_signal_return[] = {0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05};

static inline uintptr_t machine_unsigned(uintptr_t ip)
{
	return ip;
}

#else /* aarch64: sys/raw.h refuses others */

enum { COLUMN_FP = 29, COLUMN_RETURN = 30, COLUMN_SP = 31 };

enum {
	MACHINE_HAS_LINK = 1,
	MACHINE_CODE_ALIGN_LOG = 2,
	MACHINE_CFA_OP = 0x2d, /* return addresses are signed from here on, or no longer */
};

/* struct siginfo, then struct ucontext: see <asm/sigcontext.h>. */
enum {
	SIGNAL_FLAGS = 128,
	SIGNAL_FP = SIGNAL_FLAGS + 184 + 29 * 8,
	SIGNAL_LINK = SIGNAL_FP + 8,
	SIGNAL_SP = SIGNAL_FP + 16,
	SIGNAL_IP = SIGNAL_FP + 24
};

/* mov x8, #139; svc #0 */
static const uint8_t machine_signal_return[] = {0x68, 0x11, 0x80, 0xd2, 0x01, 0, 0, 0xd4};

/* xpaclri: does nothing to what is not signed, or where nothing ever is. */
static inline uintptr_t machine_unsigned(uintptr_t ip)
{
	register uintptr_t x30 __asm__("x30") = ip;
	__asm__("hint #7" : "+r"(x30));
	return x30;
}

#endif

#endif
