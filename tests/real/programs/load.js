// SPDX-License-Identifier: MIT
// Objects, buffers, compression in the thread pool, a worker and a command.
const { execFileSync } = require('child_process');
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const crypto = require('crypto');
const zlib = require('zlib');

function load(size) {
	const map = new Map();
	for (let i = 0; i < size; i++) map.set(`k${i * 7919 % size}`, { n: i, s: 'x'.repeat(i % 50) });
	const text = JSON.stringify([...map].sort());
	const buffers = Array.from({ length: 200 }, (_, i) => Buffer.alloc(i * 1000, i));
	return [text.length, crypto.createHash('sha256').update(text).update(Buffer.concat(buffers)).digest('hex')];
}

if (!isMainThread) {
	parentPort.postMessage(load(workerData));
} else {
	const size = Number(process.argv[2]);
	console.log(load(size));
	console.log(execFileSync('sh', ['-c', 'echo from a shell']).toString());
	const packed = [1, 2, 3, 4].map((n) => new Promise((done) =>
		zlib.deflate(Buffer.alloc(size * n, 'abc'), (e, b) => done(crypto.createHash('md5').update(b).digest('hex')))));
	Promise.all(packed).then((all) => {
		console.log(all);
		new Worker(__filename, { workerData: size }).on('message', (m) => {
			console.log(m);
			console.error('to stderr');
			process.exitCode = 3;
		});
	});
}
