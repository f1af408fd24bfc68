// SPDX-License-Identifier: Apache-2.0
// The npm package telegram-test-api, driven over JSON lines: {"say":text} comes in on stdin,
// {"port":n}, {"sent":message} and {"edited":message} go out on stdout.  Ends with its stdin.
'use strict';
const net = require('net');
const path = require('path');
const readline = require('readline');
const { createRequire } = require('module');

// The package lies where it was installed, which need not be beside this file.
const installed = createRequire(path.join(process.argv[2], 'package.json'));
const TelegramServer = installed('telegram-test-api');
const token = process.argv[3];

function tell(line) {
	process.stdout.write(`${JSON.stringify(line)}\n`);
}

function freePort() {
	return new Promise((resolve, reject) => {
		const probe = net.createServer();
		probe.once('error', reject);
		probe.listen(0, '127.0.0.1', () => {
			const { port } = probe.address();
			probe.close(() => resolve(port));
		});
	});
}

async function main() {
	const port = await freePort();
	const server = new TelegramServer({ port, host: '127.0.0.1' });
	const client = server.getClient(token, { userId: 7, chatId: 7 });
	const newest = () => server.storage.botMessages[server.storage.botMessages.length - 1];

	server.on('AddedBotMessage', () => tell({ sent: newest().message }));
	server.on('EditedMessageText', () => tell({ edited: newest().message }));
	await server.start();
	tell({ port });
	for await (const line of readline.createInterface({ input: process.stdin })) {
		const command = JSON.parse(line);
		await client.sendMessage(client.makeMessage(command.say));
	}
	await server.stop();
}

main().then(
	() => process.exit(0),
	(error) => {
		process.stderr.write(`${error.stack}\n`);
		process.exit(1);
	},
);
