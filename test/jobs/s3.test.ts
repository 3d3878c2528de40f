import { CreateBucketCommand, HeadObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { InvalidArgumentError } from '@vibe-edit/core';
import { blobStoreConformance } from '@vibe-edit/core/testing';
import { createS3BlobStore } from '@vibe-edit/jobs/s3';
import * as runner from 'vitest';
import { findMoto, type MotoServer, startMoto } from './moto-server.js';

const { afterAll, beforeAll, describe, expect, test } = runner;
const program = await findMoto();
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

describe.skipIf(program === undefined)('on a server that speaks S3', () => {
  let moto: MotoServer;
  let client: S3Client;
  beforeAll(async () => {
    moto = await startMoto(program as string);
    client = new S3Client({ endpoint: moto.endpoint, region: 'us-east-1', credentials, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: 'pictures' }));
  });
  afterAll(() => {
    client?.destroy();
    moto?.stop();
  });

  blobStoreConformance({
    name: 's3',
    runner,
    createStore: (options) =>
      createS3BlobStore({
        ...options,
        bucket: 'pictures',
        endpoint: moto.endpoint,
        credentials,
        prefix: 'some/folder/',
      }),
  });

  test('objects lie under the prefix with their media type, and another bucket is an error', async () => {
    const place = { endpoint: moto.endpoint, credentials };
    const store = await createS3BlobStore({ ...place, bucket: 'pictures', prefix: 'elsewhere/' });
    const { key } = await store.put(Uint8Array.of(1, 2), { mediaType: 'image/webp' });
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: 'pictures', Prefix: 'elsewhere/' }));
    expect(Contents.map(({ Key, Size }) => [Key, Size])).toEqual([[`elsewhere/${key}`, 2]]);
    const { ContentType } = await client.send(new HeadObjectCommand({ Bucket: 'pictures', Key: `elsewhere/${key}` }));
    expect(ContentType).toBe('image/webp');
    const missing = await createS3BlobStore({ ...place, bucket: 'not-there' });
    await expect(missing.put(Uint8Array.of(1), { mediaType: 'image/png' })).rejects.toThrow();
    await store.close();
    await missing.close();
  });
});

test('wrong options are typed errors', async () => {
  await expect(createS3BlobStore({ bucket: '' })).rejects.toBeInstanceOf(InvalidArgumentError);
  await expect(createS3BlobStore({ bucket: 'b', endpoint: 'minio:9000' })).rejects.toBeInstanceOf(InvalidArgumentError);
});
