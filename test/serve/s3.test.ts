import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { expect, onTestFinished, test } from 'vitest';
import { findMoto, startMoto } from '../jobs/moto-server.js';
import { becomes, picture, resultSize, startServe, submit, testFolder } from './command.js';

const program = await findMoto();

test.skipIf(program === undefined)('pictures lie in a bucket, outlive the server, and go with their job', async () => {
  const moto = await startMoto(program as string);
  onTestFinished(() => moto.stop());
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new S3Client({ endpoint: moto.endpoint, region: 'us-east-1', credentials, forcePathStyle: true });
  onTestFinished(() => client.destroy());
  await client.send(new CreateBucketCommand({ Bucket: 'pictures' }));
  const objects = async () => {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: 'pictures' }));
    return Contents.map(({ Key = '' }) => Key);
  };

  const cwd = await testFolder();
  const environment = {
    VIBE_S3_BUCKET: 'pictures',
    VIBE_S3_PREFIX: 'edits/',
    VIBE_S3_ENDPOINT: moto.endpoint,
    VIBE_S3_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
  const first = await startServe({ cwd, environment });
  const id = await submit(first.url, {}, { image: await picture(72, 56) });
  await becomes(first.url, [id], 'succeeded');
  expect(await objects()).toEqual([expect.stringMatching(/^edits\/\w{32}$/), expect.stringMatching(/^edits\/\w{32}$/)]);
  expect(await first.end('SIGKILL')).toBe('SIGKILL');

  const second = await startServe({ cwd, environment }, '--concurrency', '0');
  expect(await resultSize(second.url, id)).toBe('72x56');
  expect((await fetch(`${second.url}/v1/jobs/${id}?forget=true`, { method: 'DELETE' })).status).toBe(204);
  expect(await objects()).toEqual([]);
  expect(await second.end('SIGTERM')).toBe(0);
  expect([...first.log, ...second.log].filter(({ level }) => Number(level) >= 40)).toEqual([]);
  expect((await readdir(join(cwd, 'vibe-edit-data'))).sort()).toEqual(['callback-secret', 'jobs.db']);
});
