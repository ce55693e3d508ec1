/* SPDX-License-Identifier: MIT */
/* Long names of functions: the outer name stays. */
#include "text/shorten.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define STRING "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >"

static void expect(const char *name, size_t length, const char *shown)
{
	char *got = shorten_function(name, length);

	cr_expect_str_eq(got, shown);
	free(got);
}

Test(shorten, what_fits_stays)
{
	expect("main", 4, "main");
	expect("std::vector<int, std::allocator<int> >::push_back(int&&)", 80,
	       "std::vector<int, std::allocator<int> >::push_back(int&&)");
	expect("a<b<c> >::d(e)", 0, "a<b<c> >::d(e)");
	expect("", 1, "");
}

Test(shorten, no_further_than_it_takes)
{
	const char name[] = "std::map<" STRING ", std::vector<int, std::allocator<int> > >::at(int)";

	expect(name, 100, "std::map<std::string, std::vector<int> >::at(int)");
	expect(name, 48, "std::map<...>::at(int)");
}

Test(shorten, steps)
{
	const char name[] = "ns::tree<key<int>, pair<long, list<char> > >::insert<key<int> >(key<int>, char*)";

	expect(name, 79, "ns::tree<key<...>, pair<...> >::insert<key<...> >(key<int>, char*)");
	expect(name, 60, "ns::tree<...>::insert<...>(key<...>, char*)");
	expect(name, 40, "ns::tree<...>::insert<...>(...)");
	expect(name, 1, "ns::tree<...>::insert<...>(...)");
}

Test(shorten, operators_are_no_brackets)
{
	expect("bool operator< <int, long>(pair<int, long> const&, pair<int, long> const&)", 40,
	       "bool operator< <int, long>(...)");
	expect("a<bbbbbbbbbb>::operator->() const", 20, "a<...>::operator->() const");
	expect("a<bbbbbbbbbb>::operator()(long, long) const", 20, "a<...>::operator()(...) const");
	expect("std::ostream& std::operator<< <char>(std::ostream&, char)", 30,
	       "std::ostream& std::operator<< <char>(...)");
	expect("my_operator<int, int, int>(int, int)", 10, "my_operator<...>(...)");
}

Test(shorten, names_in_brackets_stay)
{
	expect("(anonymous namespace)::fill(std::vector<int>, int, int)", 30,
	       "(anonymous namespace)::fill(...)");
	expect("outer(int)::{lambda(int, int, int)#1}::operator()(int) const", 30,
	       "outer(...)::{lambda(...)#1}::operator()(...) const");
	expect("<alloc::vec::Vec<core::option::Option<T>> as core::ops::drop::Drop>::drop", 30,
	       "<alloc::vec::Vec<...> as core::ops::drop::Drop>::drop");
}

Test(shorten, what_does_not_match_stays)
{
	expect("a<b<c>::d(e, f, g)", 5, "a<b<c>::d(e, f, g)");
	expect("a>b::c(d, e)", 5, "a>b::c(d, e)");
	expect("f(a))", 2, "f(a))");
}

/* Whatever the bytes: it ends, and writes no more than it has room for. */
Test(shorten, nothing_is_too_strange)
{
	static const char *const parts[] = {
		"<", ">",    "(",           ")", "operator", "->", ", std::less<",
		"a", STRING, "[abi:cxx11]", ":", " "};
	char name[2048];
	unsigned random = 1;

	for (int round = 0; round < 20000; round++) {
		name[0] = '\0';
		for (int i = 0; i < 20; i++) {
			random = random * 1103515245 + 12345;
			strcat(name, parts[(random >> 16) % (sizeof parts / sizeof *parts)]);
		}
		char *got = shorten_function(name, 1 + (random >> 8) % 100);
		cr_assert(strlen(got) <= 4 * strlen(name));
		free(got);
	}
}
