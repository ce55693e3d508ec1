# SPDX-License-Identifier: MIT
# A server on loopback under redis-benchmark with $1 requests; a save by a forked child.
cd "$(mktemp -d -p .)" || exit
cat >conf <<-C
	bind 127.0.0.1
	save ""
	unixsocket $PWD/socket
	daemonize no
	logfile log
	dir $PWD
C
for try in 1 2 3 4 5; do
	port=$((20000 + RANDOM % 10000))
	redis-server conf --port $port &
	server=$!
	for _ in $(seq 100); do
		[ -S socket ] && break 2
		kill -0 $server 2>/dev/null || break
		sleep 0.05
	done
done
cli()
{
	redis-cli -s "$PWD/socket" "$@"
}
redis-benchmark -h 127.0.0.1 -p $port -q -n "$1" -c 10 -d 100 -r 1000 -P 4 \
	-t set,get,incr,lpush,rpop,sadd,hset,zadd,lrange_100,mset >benchmark 2>&1 || cat benchmark
grep -c 'requests per second' benchmark
for i in $(seq 100); do echo "set key:$i $i"; done | cli | sort | uniq -c
cli mget key:1 key:50 key:100
cli eval 'local t = {} for i = 1, 1000 do t[i] = redis.call("get", "key:" .. (i % 100 + 1)) end return #table.concat(t)' 0
saved=$(cli lastsave)
sleep 1.1
cli bgsave
for _ in $(seq 100); do
	[ "$(cli lastsave)" = "$saved" ] || break
	sleep 0.1
done
redis-check-rdb dump.rdb | grep -c 'RDB looks OK'
cli flushall
cli memory purge
cli dbsize
cli shutdown nosave
wait $server
echo "server ended with $?"
exit 3
