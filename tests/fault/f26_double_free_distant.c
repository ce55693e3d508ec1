/* SPDX-License-Identifier: MIT */
/* F26: many calls lie between the two. */
#include "fault/f26.h"

int main(void)
{
	pointer block = malloc(100), other[500];
	free(block);
	for (int i = 0; i < 500; i++)
		other[i] = malloc(200);
	for (int i = 0; i < 500; i++)
		free(other[i]);
	free(block);
	return went_on();
}
