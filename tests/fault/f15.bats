# SPDX-License-Identifier: MIT
# F15: dlopen looks at who calls it; so nobody may stand between.

bats_require_minimum_version 1.5.0
load host

@test "F15 plugins found by \$ORIGIN of the program and of a plugin" {
	mkdir -p "$out/app/plugins/inner"
	echo 'int inner = 1;' | cc -shared -fPIC -xc - -o "$out/app/plugins/inner/libinner.so"
	cc -shared -fPIC "$here/libf15_plugin.c" -o "$out/app/plugins/libplugin.so" \
		-Wl,--enable-new-dtags,-rpath,'$ORIGIN/inner'
	cc "$here/f15_host.c" -o "$out/app/host" -Wl,--enable-new-dtags,-rpath,'$ORIGIN/plugins'
	cd "$out"
	same app/host libplugin.so
	[ "$code" = 0 ]
	grep -qx 'plugin, inner found' "$out/watched"
	[ "$(told 'metrics["alloc.count"] > 0')" = True ]
}
