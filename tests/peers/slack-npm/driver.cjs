// SPDX-License-Identifier: Apache-2.0
// Two things that others wrote, driven over JSON lines: npm's emulate as Slack's Web API, and
// Slack's own @slack/bolt as a receiver of requests.  {"port":n,"bolt":n} comes first; each line
// {"method":name,"form":{}} is a call of the Web API and is answered by its answer, with what bolt
// has handled so far for {"handled":true}.  Ends with its stdin.
'use strict';
const net = require('node:net');
const path = require('node:path');
const readline = require('node:readline');
const { createRequire } = require('node:module');
const { pathToFileURL } = require('node:url');

// The packages lie where they were installed, which need not be beside this file.
const installed = createRequire(path.join(process.argv[2], 'package.json'));
const [token, secret] = process.argv.slice(3);

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

async function startBolt(handled) {
	const { App, LogLevel } = installed('@slack/bolt');
	const app = new App({
		signingSecret: secret,
		authorize: async () => ({ botToken: token, botId: 'BBOT', botUserId: 'UBOT' }),
		logLevel: LogLevel.ERROR,
	});
	app.message(async ({ message }) => handled.push(`message ${message.text}`));
	app.event('app_mention', async ({ event }) => handled.push(`mention ${event.text}`));
	app.action(/.*/, async ({ ack, action }) => {
		await ack();
		handled.push(`press ${action.value}`);
	});
	app.command(/.*/, async ({ ack, command }) => {
		await ack();
		handled.push(`command ${command.text}`);
	});
	app.error(async (error) => handled.push(`error ${error.message}`));
	const port = await freePort();
	await app.start({ port, host: '127.0.0.1' });
	return { app, port };
}

async function main() {
	const file = path.join(process.argv[2], 'node_modules', 'emulate', 'dist', 'api.js');
	const { createEmulator } = await import(pathToFileURL(file));
	const handled = [];
	const bolt = await startBolt(handled);
	const port = await freePort();
	const emulator = await createEmulator({
		service: 'slack',
		port,
		seed: {
			slack: {
				team: { name: 'Ours', domain: 'ours' },
				users: [{ name: 'ann', real_name: 'Ann' }],
				channels: [{ name: 'general' }],
			},
			tokens: { [token]: { login: 'ann', scopes: ['chat:write'] } },
		},
	});
	tell({ port, bolt: bolt.port });
	for await (const line of readline.createInterface({ input: process.stdin })) {
		const { method, form } = JSON.parse(line);
		if (method === undefined) {
			tell({ handled });
			continue;
		}
		const answer = await fetch(`http://127.0.0.1:${port}/api/${method}`, {
			method: 'POST',
			headers: { authorization: `Bearer ${token}` },
			body: new URLSearchParams(form),
		});
		tell(await answer.json());
	}
	await bolt.app.stop();
	await emulator.close();
}

main().then(
	() => process.exit(0),
	(error) => {
		process.stderr.write(`${error.stack}\n`);
		process.exit(1);
	},
);
