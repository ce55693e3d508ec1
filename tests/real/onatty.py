# SPDX-License-Identifier: MIT
"""onatty.py KEYS COMMAND...: runs the command as the foreground job of a new terminal, types KEYS (hex
bytes, once the output says "ready PID"; each after the signal of the one before was heard), then ends PID
with SIGTERM, shows the output, leaves with the command's exit code."""
import os
import pty
import sys
import time

keys, command = bytes.fromhex(sys.argv[1]), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
seen = b""
typed = 0
while True:
    try:
        piece = os.read(terminal, 4096)
    except OSError:
        break
    if not piece:
        break
    seen += piece
    if b"ready" in seen and typed < len(keys) and seen.count(b"SIG") >= typed:
        os.write(terminal, keys[typed:typed + 1])
        typed += 1
    elif typed == len(keys) and seen.count(b"SIG") >= typed and b"SIGTERM" not in seen:
        time.sleep(0.3)  # for a signal that would come twice
        os.kill(int(seen.split(b"ready ")[1].split()[0]), 15)
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(seen.replace(b"\r\n", b"\n"))
sys.exit(os.waitstatus_to_exitcode(status))
