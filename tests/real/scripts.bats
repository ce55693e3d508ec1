# SPDX-License-Identifier: MIT
# The repository's own scripts: what they say of themselves, what they refuse, and what the lint of tests finds.

bats_require_minimum_version 1.5.0

setup()
{
	root=$(realpath "$BATS_TEST_DIRNAME/../..")
	cd "$BATS_TEST_TMPDIR"
}

@test "scripts: each in tools answers --help, and refuses what it does not know" {
	local script count=0
	for script in "$root"/tools/* "$root"/tools/bench/run; do
		[ -f "$script" ] && [ -x "$script" ] || continue
		run -0 --separate-stderr "$script" --help
		[[ ${#output} -gt 20 && -z $stderr ]] || { echo "$script"; return 1; }
		run -2 --separate-stderr timeout 20 "$script" --nonesuch
		[[ $stderr == *"no such option"* || $stderr == *"no option '--nonesuch'"* || $stderr == *unrecognized*--nonesuch* ]]
		[ -z "$output" ]
		count=$((count + 1))
	done
	[ $count -ge 8 ]
	run -2 "$root/tools/setup"
	run -2 "$root/tools/setup" nonesuch
	run -2 "$root/tools/exports" one
	run -2 "$root/tools/demo" word
	run -2 "$root/tools/gallery" -o
}

@test "scripts: a line of a test that cannot fail is found" {
	run -0 "$root/tools/bats-lint"
	[ -z "$output" ]
	# The marks are put in here, or these would be such lines.
	sed 's/NOT/!/' >bad.bats <<-'END'
		bad() {
			NOT grep x file
			true && NOT grep x file
			for f in *; do NOT grep x "$f"; done
			case x in *) NOT grep x file ;; esac
			(NOT grep x file)
		}
	END
	sed 's/NOT/!/' >good.bats <<-'END'
		good() {
			run NOT grep x file
			if NOT grep x file; then return 1; fi
			NOT grep x file || return 1
			[[ a == a && NOT -e nowhere ]]
			[ NOT -e nowhere ]
			until NOT grep x file; do sleep 1; done
			echo "# NOT"
		}
	END
	run -1 "$root/tools/bats-lint" bad.bats good.bats
	[ "${#lines[@]}" = 5 ]
	[[ $output != *good.bats* && ${lines[4]} == "bad.bats:6: a test that cannot fail: "* ]]
	run -0 "$root/tools/bats-lint" good.bats
	sed 's/AND/\&\&/; s/^AT/@test/' >both.bats <<-'END'
		AT "both" {
			[ -e a ] AND [ -e b ]
			[[ $a == *" a "* AND $b == b ]]
			[ -e a ] AND return
		}
		both() {
			[ -e a ] AND [ -e b ]
		}
	END
	run -1 "$root/tools/bats-lint" both.bats
	[ "${#lines[@]}" = 1 ]
	[[ ${lines[0]} == "both.bats:2: what comes before && cannot fail: "* ]]
}
