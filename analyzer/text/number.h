/* SPDX-License-Identifier: MIT */
/* number.h: numbers for people.  `10,120`, `18.2 MiB`, `3.1 %`, `1.24 s`. */
#ifndef POOLMEM_TEXT_NUMBER_H
#define POOLMEM_TEXT_NUMBER_H

#include <stdint.h>

struct number {
	char text[48];
};

struct number number_count(uint64_t count);
struct number number_of(uint64_t count, const char *thing); /* "1 block", "10,120 blocks" */
struct number number_nth(uint64_t count);                   /* "1st", "11th" */
struct number number_signed(int64_t count);
struct number number_bytes(uint64_t bytes);
struct number number_signed_bytes(int64_t bytes);
struct number number_share(uint64_t part, uint64_t whole); /* "-" of nothing */
struct number number_duration(uint64_t ns);
struct number number_seconds(uint64_t ns); /* as a limit is given: "2 seconds", else as a duration */
struct number number_rate(uint64_t count, uint64_t ns); /* "1.2 million/s"; "-" in no time */

#endif
