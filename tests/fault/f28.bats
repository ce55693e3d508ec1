# SPDX-License-Identifier: MIT
# F28: another user was there first and planted something under the name of our directory, or under any
# name that he can guess.  Nothing of his is written to, followed or waited for.

bats_require_minimum_version 1.5.0
load host

# The default directory is used: /dev/shm/poolmem-0, on a file system of the test's own.
bare()
{
	timeout -k 5 "$watchdog" env -u POOLMEM LD_PRELOAD="$lib" "$@"
}

plant()
{
	local name=/dev/shm/poolmem-0
	case $1 in
	link-to-his) as_nobody mkdir -m 777 /mnt/his && as_nobody ln -s /mnt/his $name ;;
	link-to-ours) mkdir -m 700 /mnt/ours && as_nobody ln -s /mnt/ours $name ;;
	link-to-nothing) as_nobody ln -s /mnt/nothing $name ;;
	file) as_nobody sh -c 'echo his >/dev/shm/poolmem-0' ;;
	fifo) as_nobody mkfifo $name ;;
	directory) as_nobody mkdir -m 700 $name ;;
	open-directory) as_nobody mkdir -m 777 $name ;;
	our-open-directory) mkdir $name && chmod 777 $name ;;
	our-readable-directory) mkdir $name && chmod 755 $name ;;
	esac
}

everything_there()
{
	find /dev/shm /mnt -mindepth 1 -printf '%p %y %u %m %s %T@ %l\n' | sort
}

# With this planted, the program runs as ever and all that is there stays as it was.
planted()
{
	mount -t tmpfs -o mode=1777 none /dev/shm
	open_house
	plant "$1"
	everything_there >"$out/before"
	code=0
	bare "$programs/f19_work" 4 4 1000 >"$out/watched" 2>&1 || code=$?
	everything_there >"$out/after"
	diff "$out/before" "$out/after"
	"$programs/f19_work" 4 4 1000 >"$out/plainly" || [ "$code" = $? ]
	diff "$out/plainly" "$out/watched"
}

@test "F28 symlinks in place of the directory" {
	for what in link-to-his link-to-ours link-to-nothing; do apart planted $what; done
}

@test "F28 a file, a fifo, directories of another user in its place" {
	for what in file fifo directory open-directory; do apart planted $what; done
}

@test "F28 a directory of ours that others can write to or read" {
	for what in our-open-directory our-readable-directory; do apart planted $what; done
}

# What is planted for dir= as well as for the default.
planted_for_dir()
{
	open_house
	as_nobody mkdir -m 777 /mnt/his
	as_nobody mkfifo /mnt/fifo
	as_nobody ln -s /mnt/his /mnt/link
	mkdir /mnt/shared && chmod 777 /mnt/shared
	everything_there | grep ^/mnt >"$out/before"
	for place in his fifo link shared; do
		POOLMEM=dir=/mnt/$place LD_PRELOAD=$lib timeout "$watchdog" "$programs/f19_work" 2 2 100 || [ $? = 7 ]
	done
	everything_there | grep ^/mnt >"$out/after"
	diff "$out/before" "$out/after"
}

@test "F28 the same for a directory that was asked for" {
	apart planted_for_dir
}

undisturbed()
{
	mount -t tmpfs -o mode=1777 none /dev/shm
	open_house
	umask 0
	for i in 1 2 3; do bare "$programs/f19_work" 2 2 100 || [ $? = 7 ]; done
	as_nobody env LD_PRELOAD="$lib" true
	cd /dev/shm
	[ "$(find poolmem-0 poolmem-65534 -printf '%y %m %u\n' | sort -u)" = "$(printf '%s\n' \
		'd 700 nobody' 'd 700 root' 'f 600 nobody' 'f 600 root')" ]
	# time, pid and 32 random bits
	[ "$(find poolmem-0 -name '*.pms' | sed 's/.*-//' | sort -u | wc -l)" = 3 ]
	if as_nobody ls poolmem-0; then return 1; fi
}

@test "F28 undisturbed: directory 0700, files 0600, a random part in each name" {
	apart undisturbed
}
