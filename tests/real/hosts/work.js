// SPDX-License-Identifier: MIT
// work.js ROUNDS: JSON, digests and compression in the main thread and in workers.
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const crypto = require('crypto');
const zlib = require('zlib');

let state = 1;
function below(limit) {
	state = (Math.imul(state, 1103515245) + 12345) >>> 0;
	return (state >>> 8) % limit;
}

function tree(depth) {
	const node = { name: 'node' + below(1000), values: Array.from({ length: 5 }, () => below(1e6)), children: [] };
	for (let i = 0; depth && i < 3; i++)
		node.children.push(tree(depth - 1));
	return node;
}

function work(seed, rounds) {
	const digest = crypto.createHash('sha256');
	const kept = [];
	state = seed;
	for (let round = 0; round < rounds; round++) {
		const text = JSON.stringify(tree(4));
		const packed = zlib.deflateSync(text, { level: 1 + round % 6 });
		const back = JSON.parse(zlib.inflateSync(packed).toString());
		kept.push(Buffer.from(text.slice(0, below(4000))), crypto.createHash('md5').update(text).digest());
		if (kept.length > 200)
			kept.splice(0, 100);
		digest.update(back.name + text.length + packed.length);
		if (round % 100 === 0)
			digest.update(crypto.pbkdf2Sync('secret' + round, 'salt', 1000, 32, 'sha512'));
	}
	return digest.digest('hex');
}

if (!isMainThread) {
	parentPort.postMessage(work(workerData.seed, workerData.rounds));
} else {
	const rounds = Number(process.argv[2]);
	const said = [work(1, rounds)];
	const begin = (turn) => {
		if (turn === 4) {
			console.log(said.join('\n'));
			return;
		}
		let left = 3;
		for (let i = 0; i < 3; i++) {
			const worker = new Worker(__filename, { workerData: { seed: 10 * turn + i, rounds: rounds >> 2 } });
			worker.on('message', (text) => { said[1 + 3 * turn + i] = text; });
			worker.on('exit', () => { if (!--left) begin(turn + 1); });
		}
	};
	begin(0);
}
