/* SPDX-License-Identifier: MIT */
/* Numbers for people: each change of unit, and one step on either side of it. */
#include "text/number.h"

#include <criterion/criterion.h>

#define SHOWS(number, expected) cr_expect_str_eq((number).text, expected)

Test(number, counts_have_commas)
{
	SHOWS(number_count(0), "0");
	SHOWS(number_count(999), "999");
	SHOWS(number_count(1000), "1,000");
	SHOWS(number_count(10120), "10,120");
	SHOWS(number_count(1234567), "1,234,567");
	SHOWS(number_count(UINT64_MAX), "18,446,744,073,709,551,615");
	SHOWS(number_signed(-10120), "-10,120");
	SHOWS(number_signed(7), "7");
	SHOWS(number_signed(INT64_MIN), "-9,223,372,036,854,775,808");
}

Test(number, counts_of_things)
{
	SHOWS(number_of(0, "block"), "0 blocks");
	SHOWS(number_of(1, "block"), "1 block");
	SHOWS(number_of(10120, "block"), "10,120 blocks");
	SHOWS(number_nth(1), "1st");
	SHOWS(number_nth(2), "2nd");
	SHOWS(number_nth(3), "3rd");
	SHOWS(number_nth(4), "4th");
	SHOWS(number_nth(11), "11th");
	SHOWS(number_nth(13), "13th");
	SHOWS(number_nth(101), "101st");
	SHOWS(number_nth(1112), "1,112th");
}

Test(number, bytes_have_binary_units)
{
	SHOWS(number_bytes(0), "0 B");
	SHOWS(number_bytes(1023), "1023 B");
	SHOWS(number_bytes(1024), "1.0 KiB");
	SHOWS(number_bytes(19083961), "18.2 MiB");
	SHOWS(number_bytes((1 << 20) - 1), "1.0 MiB");
	SHOWS(number_bytes(UINT64_C(1) << 30), "1.0 GiB");
	SHOWS(number_bytes(UINT64_C(1) << 40), "1.0 TiB");
	SHOWS(number_bytes(UINT64_C(1) << 50), "1.0 PiB");
	SHOWS(number_bytes(UINT64_MAX), "16.0 EiB");
	SHOWS(number_signed_bytes(-2048), "-2.0 KiB");
	SHOWS(number_signed_bytes(2048), "2.0 KiB");
}

Test(number, shares)
{
	SHOWS(number_share(31, 1000), "3.1 %");
	SHOWS(number_share(0, 1000), "0.0 %");
	SHOWS(number_share(1, 1000000), "<0.1 %");
	SHOWS(number_share(5, 5), "100.0 %");
	SHOWS(number_share(5, 0), "-");
	SHOWS(number_share(UINT64_MAX, UINT64_MAX), "100.0 %");
}

Test(number, durations)
{
	SHOWS(number_duration(0), "0 ns");
	SHOWS(number_duration(999), "999 ns");
	SHOWS(number_duration(1500), "2 us");
	SHOWS(number_duration(999499), "999 us");
	SHOWS(number_duration(1000000), "1 ms");
	SHOWS(number_duration(12345678), "12.3 ms");
	SHOWS(number_duration(1240000000), "1.24 s");
	SHOWS(number_duration(UINT64_C(61) * 1000000000), "1 min 1 s");
	SHOWS(number_duration(UINT64_C(3661) * 1000000000), "1 h 1 min");
	SHOWS(number_duration(UINT64_C(90000) * 1000000000), "1 d 1 h");
}

Test(number, rates)
{
	SHOWS(number_rate(10, 0), "-");
	SHOWS(number_rate(9135, 1000000000), "9,135/s");
	SHOWS(number_rate(10120, 1000000000), "10 thousand/s");
	SHOWS(number_rate(2500000, 1000000000), "2.5 million/s");
}
