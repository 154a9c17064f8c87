// tus-js-client sends the files of a folder, one after the other, over a link that is cut.
// Call: node upload_folder.mjs ENDPOINT KEY FOLDER CLIENT_FOLDER

import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [endpoint, key, folder, client] = process.argv.slice(2);
const tus = createRequire(join(client, "package.json"))("tus-js-client");

function send(path) {
  return new Promise((resolve, reject) => {
    const upload = new tus.Upload(readFileSync(path), {
      endpoint,
      headers: { Authorization: `Bearer ${key}` },
      // No bytes with the creation: of one that is cut this client knows no address, and begins anew.
      // As often and as soon as it may: the best that this client can do here.
      retryDelays: Array(2000).fill(200),
      onShouldRetry: () => true,
      onError: reject,
      onSuccess: resolve,
    });
    upload.start();
  });
}

for (const name of readdirSync(folder).sort()) {
  await send(join(folder, name));
}
