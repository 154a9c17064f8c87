// tus-js-client against a running server: whole, cut in mid-PATCH and resumed
// by itself, refused without a key.
// Call: node with_tus_js_client.mjs DIRECT_URL CUTTING_URL KEY FILE CLIENT_FOLDER

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [direct, cutting, key, path, folder] = process.argv.slice(2);
const tus = createRequire(join(folder, "package.json"))("tus-js-client");
const file = readFileSync(path);

function upload(endpoint, options = {}) {
  return new Promise((resolve, reject) => {
    const upload = new tus.Upload(file, {
      endpoint,
      headers: { Authorization: `Bearer ${key}` },
      retryDelays: [0, 50, 100],
      onError: reject,
      onSuccess: ({ lastResponse }) => resolve(lastResponse),
      ...options,
    });
    upload.start();
  });
}

await assert.rejects(upload(direct, { headers: {}, retryDelays: null }), (error) => {
  assert.equal(error.originalResponse.getStatus(), 401);
  return true;
});
console.log("tus-js-client: refused without a key");

const whole = await upload(direct, { chunkSize: 100_000 });
const receipt = JSON.parse(whole.getHeader("Trapline-Receipt"));
assert.equal(receipt.size_bytes, file.length);
console.log("tus-js-client: whole upload in parts, with its receipt");

const withBody = await upload(direct, { uploadDataDuringCreation: true });
assert.ok(withBody.getHeader("Trapline-Receipt"));
console.log("tus-js-client: creation with upload");

const offsets = [];
const resumed = await upload(cutting, {
  onAfterResponse: (request, response) => {
    if (request.getMethod() === "HEAD") {
      offsets.push(Number(response.getHeader("Upload-Offset")));
    }
  },
});
assert.ok(resumed.getHeader("Trapline-Receipt"));
assert.ok(offsets.length === 1 && offsets[0] > 0 && offsets[0] < file.length, `${offsets}`);
console.log(`tus-js-client: resumed at byte ${offsets[0]} of ${file.length}`);
