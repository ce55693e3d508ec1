# SPDX-License-Identifier: MIT
# F30: a program that runs with more rights than its caller has.  ld.so loads the library only from a
# trusted folder, by bare name and with the setuid bit on; it then serves memory, looks at no variable
# and leaves no file.

bats_require_minimum_version 1.5.0
load host

# A library of libc's own package gives us a name in a trusted folder, in this namespace alone.
export trusted_name=libpcprofile.so

house_with_setuid()
{
	mount -t tmpfs -o mode=1777 none /dev/shm
	open_house "$programs/f30_who"
	chmod 4755 /mnt/f30_who "$lib"
	local folder
	folder=$(dirname "$(ldconfig -p | sed -n 's/.*libc\.so\.6 .*x86-64.* => //p' | head -n 1)")
	mount --bind "$lib" "$folder/$trusted_name"
	as_nobody mkdir -m 700 /mnt/his
	mkdir -m 700 /mnt/ours
}

# who PRELOAD POOLMEM [USER-COMMAND]
who()
{
	code=0
	"${@:3}" env LD_PRELOAD="$1" POOLMEM="$2" /mnt/f30_who >"$out/said" 2>&1 || code=$?
	[ "$code" = 9 ]
}

nothing_recorded()
{
	[ -z "$(find /dev/shm /mnt/his /mnt/ours -mindepth 1)" ]
}

setuid_run_as_nobody()
{
	house_with_setuid
	for settings in dir=/mnt/ours dir=/mnt/his help=1 nonsense off ''; do
		who $trusted_name "$settings" as_nobody
		grep -qx 'uid 65534 euid 0 secure 1 usable 112' "$out/said"
		[ "$(wc -l <"$out/said")" = 1 ]
	done
	# a path is no bare name: ld.so ignores it, with a line of its own
	who "$lib" dir=/mnt/his as_nobody
	grep -q 'secure 1 usable 104' "$out/said"
	nothing_recorded
}

@test "F30 a setuid copy run as nobody: memory from us, no environment, no segment" {
	apart setuid_run_as_nobody
}

same_program_without_more_rights()
{
	house_with_setuid
	who $trusted_name dir=/mnt/ours
	grep -qx 'uid 0 euid 0 secure 0 usable 112' "$out/said"
	[ "$(find /mnt/ours -name '*.pms' | wc -l)" = 1 ]
}

@test "F30 the same copy run by its owner is recorded" {
	apart same_program_without_more_rights
}
