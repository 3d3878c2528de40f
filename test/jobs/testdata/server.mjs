/**
 * What a server does, until it is killed: submits, works, hands results out, and says on its output what it was promised:
 * `accepted ID USER`, `delivered ID USER TEXT-OF-THE-RESULT`, `settled ID`. Arguments: MODULE EXPORT JSON-OPTIONS FOLDER MODE. Mode: `submit` also submits,
 * `finish` does not; with `-through-outages` a queue that cannot be reached is tried again later.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createFolderBlobStore } from '@vibe-edit/core';

const [module, name, options, folder, mode] = process.argv.slice(2);
const outages = mode.endsWith('-through-outages');
const { [name]: createQueue } = await import(module);
const blobs = createFolderBlobStore({ folder });
const queue = await createQueue({ ...JSON.parse(options), blobs });
const say = (...words) => process.stdout.write(`${words.join(' ')}\n`);

queue.work(
  async ({ job, progress, signal }) => {
    const source = Buffer.from(await blobs.get(job.request.image, { signal })).toString();
    for (let step = 1; step <= 3; step += 1) {
      await sleep(job.request.instruction === 'slow' ? 700 : 3);
      progress({ stage: 'denoise', step, steps: 3 });
    }
    const reference = await blobs.put(Buffer.from(`result-for-${source}`), { mediaType: 'image/png', signal });
    const image = { ...reference, width: 1, height: 1, instruction: job.request.instruction };
    const seconds = { queue: 0, prepare: 0, condition: 0, encode: 0, denoise: 0, decode: 0, restore: 0 };
    return { images: [image], seed: 1, warnings: [], seconds };
  },
  { concurrency: 3, onError: (error, id) => outages || say('error', id, error?.stack ?? error) },
);

/** After an outage of the queue: it comes back. */
async function pause(error) {
  if (!outages || error?.code !== 'VIBE_QUEUE_UNAVAILABLE') throw error;
  await sleep(50);
}

async function submit() {
  for (let count = 0; mode.startsWith('submit'); count += 1) {
    const user = `user-${count % 7}`;
    try {
      const image = await blobs.put(Buffer.from(`${user}-${process.pid}-${count}`), { mediaType: 'image/png' });
      const job = await queue.submit({ kind: 'edit', user, instruction: 'x', image, outbox: 'out' });
      say('accepted', job.id, user, `${user}-${process.pid}-${count}`);
    } catch (error) {
      if (error.code === 'VIBE_USER_LIMIT' || error.code === 'VIBE_QUEUE_FULL') await sleep(20);
      else await pause(error);
    }
  }
}

async function deliver() {
  for (;;) {
    try {
      if (!(await deliverOne())) await sleep(10);
    } catch (error) {
      await pause(error);
    }
  }
}

async function deliverOne() {
  const delivery = await queue.takeDelivery('out', { leaseSeconds: outages ? 5 : 1 });
  if (delivery === undefined) return false;
  const { job } = delivery;
  const [image] = job.result?.images ?? [];
  const text = image === undefined ? job.error?.code : Buffer.from(await blobs.get(image)).toString();
  say('delivered', job.id, job.user, text);
  await queue.settleDelivery(job.id);
  say('settled', job.id);
  return true;
}

say('ready');
await Promise.all([submit(), submit(), deliver()]);
