# SPDX-License-Identifier: MIT
# For rows in which the kernel, the file system or another user is against us: besides what under.bash
# has, a comparison with the bare program, mount namespaces, another user.

load under
PATH=$PATH:/usr/sbin:/sbin

# The program behaves as it does without the library: both outputs, and the exit code, which is left in
# $code. The outputs go through pipes, so that a limit on the size of files does not touch them.
same()
{
	local how
	for how in plainly watched; do
		{ { code=0; "$how" "$@" || code=$?; echo $code >"$out/$how.code"; } | cat >"$out/$how"; } \
			2> >(cat >"$out/$how.err")
		wait $!
	done
	code=$(cat "$out/watched.code")
	diff "$out/plainly" "$out/watched" && diff "$out/plainly.err" "$out/watched.err" &&
		diff "$out/plainly.code" "$out/watched.code"
}

# apart FUNCTION ARGUMENT...: in a mount namespace of its own, where the function may mount.
apart()
{
	export here lib poolmem programs out watchdog level mounts_apart
	# shellcheck disable=SC2046
	export -f $(compgen -A function | grep -v '^bats')
	# shellcheck disable=SC2086
	unshare $mounts_apart bash -euc '"$@"' apart "$@"
}

# A copy of the library and the row's programs where every user can read them; call inside apart.
open_house()
{
	mount -t tmpfs -o mode=1777 none /mnt
	install -m 755 "$lib" "$poolmem" "$@" /mnt
	lib=/mnt/libpoolmem.so
}

as_nobody()
{
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}
