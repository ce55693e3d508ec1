/* SPDX-License-Identifier: MIT */
/* cflags: -O1 -fno-inline -fno-optimize-sibling-calls -fno-pie -no-pie -Wl,--section-start=.text=0x20000000 */
/* holes.c: a program whose code lies far from its data and unwinding information, with nothing between. */
#include <stdlib.h>

void *kept;

__attribute__((noinline)) static void in_the_far(void)
{
	kept = malloc(77);
	__asm__ volatile("");
}

__attribute__((noinline)) static void and_its_caller(void)
{
	in_the_far();
	__asm__ volatile("");
}

int main(void)
{
	and_its_caller();
	return 0;
}
