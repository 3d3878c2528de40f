/**
 * Goes half way with everything, to be killed there: a picture whose bytes never end, one that is never submitted, a job whose result is
 * stored and never handed over. Says `unsubmitted KEY`, `job ID SOURCE-KEY`, `result KEY`. Arguments: LIBSQL-FILE FOLDER.
 */
import { createFolderBlobStore } from '@vibe-edit/core';
import { createLibsqlQueue } from '@vibe-edit/jobs/libsql';

const [file, folder] = process.argv.slice(2);
const blobs = createFolderBlobStore({ folder });
const queue = await createLibsqlQueue({ file, blobs });
const PNG = { mediaType: 'image/png' };
const say = (...words) => process.stdout.write(`${words.join(' ')}\n`);
const never = () => new Promise((resolve) => setTimeout(resolve, 600_000));

async function* endless() {
  yield new Uint8Array(10);
  await never();
}

const { key } = await blobs.put(Buffer.from('never submitted'), PNG);
say('unsubmitted', key);
const image = await blobs.put(Buffer.from('source'), PNG);
const { id } = await queue.submit({ kind: 'edit', user: 'alice', instruction: 'x', image });
say('job', id, image.key);
queue.work(async () => {
  const result = await blobs.put(Buffer.from('result'), PNG);
  say('result', result.key);
  await never();
});
await blobs.put(endless(), PNG);
