# SPDX-License-Identifier: MIT
# F2: fork may come before main, from threads that have not allocated yet.

bats_require_minimum_version 1.5.0
load under

@test "F2 threads of a constructor register fork handlers and fork" {
	for round in $(seq "$(by_level 5 200)"); do
		for preloads in "$programs/libf02_forks.so $lib" "$lib $programs/libf02_forks.so"; do
			rm -f "$out"/segments/*
			watched /bin/true >"$out/under"
			grep -qx '40 children ended well' "$out/under"
		done
	done
}

@test "F2 the children of a constructor's threads do not count in the parent" {
	preloads="$oracle $lib $programs/libf02_forks.so" watched /bin/true >"$out/under"
	grep -qx '40 children ended well' "$out/under"
	equal --inherited-slack 16 --processes 41
}
