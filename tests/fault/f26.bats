# SPDX-License-Identifier: MIT
# F26: misuse of malloc is told in one exact line. f26_NAME.stderr is what f26_NAME prints before it aborts.

bats_require_minimum_version 1.5.0
load under

# each FUNCTION NAME...: for each program of these names, in a folder without segments
each()
{
	local file name
	for file in "$here"/f26_*.stderr; do
		name=$(basename "$file" .stderr)
		rm -f "$out"/segments/*
		"$1" "$name" "$file" || { echo "$name"; return 1; }
	done
}

# Addresses differ from run to run.
said()
{
	sed 's/0x[0-9a-f]*/0xADDR/' <<<"$stderr"
}

# noted KIND: the last line of the report about the misuse, seen once
noted()
{
	told 'notes.get("misuse", 0), words.get("misuse", "").split(" of ")[0]' | grep -qxF "(1, 'last: $1')"
}

kind_of()
{
	sed 's/poolmem: \([a-z ]*\):.*/\1/' "$1"
}

aborts()
{
	run --separate-stderr watched "$programs/$1"
	[ "$status" = 134 ] || { echo "exit code $status"; return 1; }
	[ -z "$output" ] || return 1
	diff <(said) "$2" && noted "$(kind_of "$2")"
}

goes_on()
{
	settings=on_error=report run --separate-stderr watched "$programs/$1"
	[ "$status" = 0 ] || { echo "exit code $status"; return 1; }
	[ "$output" = 'went on' ] || return 1
	diff <(said) "$2" && noted "$(kind_of "$2")"
}

@test "F26 each misuse is told in its exact words, then SIGABRT" {
	each aborts
}

@test "F26 on_error=report: each misuse is told and the program goes on" {
	each goes_on
}

@test "F26 what is not ours is judged by libc" {
	run -134 --separate-stderr plainly "$programs/f26_foreign_free"
	plain=$stderr
	run -134 --separate-stderr watched "$programs/f26_foreign_free"
	[ "$stderr" = "$plain" ]
	[[ $stderr == *"invalid pointer"* ]]
}

@test "F26 the report in JSON and in words tells the misuse" {
	run -134 watched "$programs/f26_double_free"
	"$poolmem" report --json "$out"/segments/*.pms | grep -q '"misuse"'
	"$poolmem" report "$out"/segments/*.pms | grep -q 'double free'
}
