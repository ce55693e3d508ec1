/* SPDX-License-Identifier: MIT */
/* step.h: SIGTRAP after every single instruction of the calling thread, by the processor's trap flag. */
#ifndef POOLMEM_TESTS_FAULT_STEP_H
#define POOLMEM_TESTS_FAULT_STEP_H

static void step(int on)
{
#if defined(__x86_64__)
	if (on)
		__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
	else
		__asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" ::: "memory", "cc");
#else
	(void)on;
#endif
}

#endif
