# SPDX-License-Identifier: MIT
# F13: stacks through code that nothing describes, that describes itself wrongly, or that was written at run time.

bats_require_minimum_version 1.5.0
load host

@test "F13 frames without records, with wrong ones, and any frame pointer" {
	settings=sites.period=1 same "$programs/f13_frames"
	[ "$code" = 5 ]
	recorded site_below 5250
}

@test "F13 what the last walk could read, of a stack that adjoined and is unmapped" {
	for sites in all sample; do
		settings=sites=$sites same "$programs/f13_gone"
		[ "$code" = 0 ]
	done
}

# machine PROGRAM ARGUMENT...: each block recorded, and about each fifth
machine()
{
	for period in 1 64; do
		settings=sites.period=$period same "$@"
		[ "$code" = 3 ]
	done
}

@test "F13 lua: each block recorded" {
	cat >"$out/work.lua" <<-'END'
		local sum, words = 0, {}
		local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
		for i = 1, 20000 do
			words[i % 100] = ('x'):rep(i % 300) .. i
			sum = sum + #words[i % 100]
			if i % 100 == 0 then sum = sum + select(2, pcall(error, i)) end
		end
		table.sort(words, function(a, b) return #a .. a < #b .. b end)
		print(fib(20), sum, words[1])
		os.exit(3)
	END
	machine lua5.4 "$out/work.lua"
	[ "$level" = test ] || machine luajit "$out/work.lua"
}

@test "F13 run-time compilers: in soak node and java" {
	cat >"$out/work.js" <<-'END'
		const crypto = require('crypto')
		let sum = 0
		const fib = n => n < 2 ? n : fib(n - 1) + fib(n - 2)
		for (let i = 0; i < 3000; i++) {
			sum += crypto.createHash('sha1').update(Buffer.alloc(i % 500 + 1, i)).digest()[0]
			sum += JSON.stringify(JSON.parse(JSON.stringify({a: [1, 2, i]}))).length
			if (i % 100 == 0) try { null.x } catch (e) { sum += e.message.length }
		}
		console.log(fib(24), sum)
		process.exit(3)
	END
	[ "$level" = test ] && return
	machine node "$out/work.js"
	keytool=(-XX:-UsePerfData -m java.base/sun.security.tools.keytool.Main -list -rfc -cacerts)
	for period in 1 64; do
		settings=sites.period=$period same java -Xint "${keytool[@]}"
		settings=sites.period=$period same java "${keytool[@]}"
		[ "$code" = 0 ]
	done
}
