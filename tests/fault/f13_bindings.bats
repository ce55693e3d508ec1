# SPDX-License-Identifier: MIT
# F13: exceptions are libgcc's business: no unwinder of ours comes into the process.

bats_require_minimum_version 1.5.0
load host

@test "F13 exceptions bind to libgcc, and libunwind is not there" {
	LD_DEBUG=bindings LD_DEBUG_OUTPUT="$out/bindings" settings=sites.period=1 \
		watched "$programs/f14_throws" 200 "$programs/libf16_first.so" >"$out/said"
	[ "$(cat "$out/said")" = caught ]
	cat "$out"/bindings.* | sed -n 's/.*binding file .* to \(.*\) \[0\]: normal symbol .\(_Unwind_[A-Za-z]*\).*/\2 \1/p' | sort -u | tee "$out/unwind"
	grep -q '^_Unwind_RaiseException .*libgcc_s.so' "$out/unwind"
	run -1 grep -v 'libgcc_s.so' "$out/unwind"
	run -1 grep libunwind "$out"/bindings.*
	readelf -d "$lib" | grep NEEDED >"$out/needed"
	run -1 grep -v 'libc\.so\|ld-linux' "$out/needed"
}
