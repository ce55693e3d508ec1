/* SPDX-License-Identifier: MIT */
/* F1: the program has the ifunc itself. */
#include "fault/f01_resolver.h"

#include <stdio.h>

int main(void)
{
	printf("%d blocks right\n", use_and_free());
	return 0;
}
