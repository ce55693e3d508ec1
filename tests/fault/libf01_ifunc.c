/* link: -Wl,-z,now */
/* SPDX-License-Identifier: MIT */
/* F1: a library with the ifunc. ld.so relocates it before what stands in front of it in the search order. */
#include "fault/f01_resolver.h"

#include <stdio.h>

__attribute__((constructor)) static void at_start(void)
{
	printf("library: %d blocks right\n", use_and_free());
}
