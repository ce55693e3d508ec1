# SPDX-License-Identifier: MIT
# A server on loopback, key logins $1 times.  Its child before the login lives behind a filter of system calls.
me=$(id -un)
ssh-keygen -q -t ed25519 -N '' -C host -f host
ssh-keygen -q -t ed25519 -N '' -C me -f me
cp me.pub authorized
cat >conf <<-C
	HostKey $PWD/host
	AuthorizedKeysFile $PWD/authorized
	StrictModes no
	UsePAM no
	PidFile none
	PermitRootLogin yes
	PasswordAuthentication no
	PermitUserEnvironment no
C
[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
remote()
{
	ssh -F none -n -p $port -i me -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o LogLevel=ERROR \
		-o UserKnownHostsFile=/dev/null -o BatchMode=yes "$me@127.0.0.1" "$@"
}
for try in 1 2 3 4 5; do
	port=$((30000 + RANDOM % 10000))
	/usr/sbin/sshd -D -f conf -o "ListenAddress=127.0.0.1:$port" -E log &
	server=$!
	for _ in $(seq 100); do
		grep -q 'Server listening' log 2>/dev/null && break 2
		kill -0 $server 2>/dev/null || break
		sleep 0.05
	done
done
for i in $(seq "$1"); do
	remote "echo login $i; exit $i"
	echo "exit code $?"
done
remote 'head -c 3000000 /dev/zero' | wc -c
rm authorized
remote true
echo "refused: $?"
kill $server
wait $server
echo "server ended with $?"
grep -c 'Accepted publickey' log
grep -i 'fatal\|violation\|signal [^1]' log
exit 3
