// SPDX-License-Identifier: Apache-2.0
// Each line on stdin is {secret, headers, body}; each line on stdout says what the two libraries
// make of it: {standardwebhooks: true or a sentence, svix: the same}.
const { createRequire } = require("node:module");
const readline = require("node:readline");

const require_ = createRequire(process.argv[2] + "/");
const standard = require_("standardwebhooks");
const svix = require_("svix");

function verdict(verify) {
	try {
		verify();
		return true;
	} catch (error) {
		return String(error.message);
	}
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
	const { secret, headers, body } = JSON.parse(line);
	console.log(
		JSON.stringify({
			standardwebhooks: verdict(() => new standard.Webhook(secret).verify(body, headers)),
			svix: verdict(() => new svix.Webhook(secret).verify(body, headers)),
		}),
	);
});
