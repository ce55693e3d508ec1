# SPDX-License-Identifier: MIT
"""Threads, a pool of processes that are forked while threads run, and a module that is C++."""
import concurrent.futures
import hashlib
import multiprocessing
import sys
import threading

size = int(sys.argv[1])


def digest(n):
    return hashlib.sha256(b",".join(b"%d" % i for i in range(n))).hexdigest()


results = {}
threads = [threading.Thread(target=lambda n=n: results.update({n: digest(size + n)})) for n in range(8)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print([results[n][:8] for n in sorted(results)])
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print([d[:8] for d in pool.map(digest, range(size, size + 20))])
with multiprocessing.get_context("fork").Pool(3) as pool:
    print([d[:8] for d in pool.map(digest, range(size, size + 20), chunksize=5)])
    pool.close()
    pool.join()
