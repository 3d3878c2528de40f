import { createHash, randomBytes } from 'node:crypto';
import type { GetObjectCommandOutput, S3ClientConfig } from '@aws-sdk/client-s3';
import {
  AbortedError,
  BlobMissingError,
  type BlobReference,
  type BlobStore,
  blobKeyOf,
  boundedChunks,
  DEFAULT_MAX_BLOB_BYTES,
  InvalidArgumentError,
  MissingPackageError,
} from '@vibe-edit/core';

export interface S3BlobStoreOptions {
  /** Must be there. */
  bucket: string;
  /** Put before each key, e.g. `pictures/`. Default: nothing. */
  prefix?: string;
  /** Of a store that is not Amazon's, e.g. `http://minio:9000`. Default: Amazon's. */
  endpoint?: string;
  /** Default: the environment's (`AWS_REGION`), else `us-east-1`. */
  region?: string;
  /** Default: what the environment, the shared files or the machine's role give. */
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  /** Buckets as part of the path instead of the host, as most stores that are not Amazon's need. Default: true when `endpoint` is given. */
  forcePathStyle?: boolean;
  /** Most bytes of one blob. Default 64 MiB. */
  maxBytes?: number;
}

/**
 * Blobs in an S3-compatible store, for many machines. A blob is held in memory while it is stored. Needs the package `@aws-sdk/client-s3`.
 * @throws {MissingPackageError} when the package is not installed.
 * @throws {InvalidArgumentError} when an option is not what it should be.
 * @example
 * ```ts
 * import { createS3BlobStore } from '@vibe-edit/jobs/s3';
 *
 * const blobs = await createS3BlobStore({ bucket: 'pictures', endpoint: 'http://minio:9000' });
 * ```
 */
export async function createS3BlobStore(options: S3BlobStoreOptions): Promise<BlobStore> {
  const { bucket, prefix = '', endpoint, maxBytes = DEFAULT_MAX_BLOB_BYTES } = options;
  if (typeof bucket !== 'string' || bucket === '') fail('bucket', 'the name of a bucket', bucket);
  if (endpoint !== undefined && !/^https?:\/\//.test(endpoint))
    fail('endpoint', 'an http:// or https:// URL', endpoint);
  const s3 = await loadPackage();
  const config: S3ClientConfig = {
    region: options.region ?? process.env.AWS_REGION ?? 'us-east-1',
    forcePathStyle: options.forcePathStyle ?? endpoint !== undefined,
    ...(endpoint !== undefined && { endpoint }),
    ...(options.credentials !== undefined && { credentials: options.credentials }),
  };
  const client = new s3.S3Client(config);
  const locate = (blob: BlobReference | string) => {
    const key = blobKeyOf(blob);
    if (key === undefined) throw new BlobMissingError({ key: String(typeof blob === 'string' ? blob : blob?.key) });
    return { Bucket: bucket, Key: `${prefix}${key}` };
  };
  return {
    async put(data, { signal, ...put }) {
      const chunks: Uint8Array[] = [];
      const bounds = signal === undefined ? put : { ...put, signal };
      for await (const chunk of boundedChunks(data, bounds, maxBytes)) chunks.push(chunk.slice());
      const bytes = Buffer.concat(chunks);
      const key = randomBytes(16).toString('hex');
      const command = new s3.PutObjectCommand({ ...locate(key), Body: bytes, ContentType: put.mediaType });
      await abortable(signal, () => client.send(command, signal === undefined ? {} : { abortSignal: signal }));
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      return { key, mediaType: put.mediaType, bytes: bytes.byteLength, sha256 };
    },
    async get(blob, { signal } = {}) {
      const place = locate(blob);
      const command = new s3.GetObjectCommand(place);
      try {
        return await abortable(signal, async () => {
          const send = client.send(command, signal === undefined ? {} : { abortSignal: signal });
          const { Body }: GetObjectCommandOutput = await send;
          return new Uint8Array((await Body?.transformToByteArray()) ?? []);
        });
      } catch (cause) {
        throw isMissing(cause) ? new BlobMissingError({ key: place.Key.slice(prefix.length), cause }) : cause;
      }
    },
    async exists(blob) {
      if (blobKeyOf(blob) === undefined) return false;
      try {
        await client.send(new s3.HeadObjectCommand(locate(blob)));
        return true;
      } catch (error) {
        if (isMissing(error)) return false;
        throw error;
      }
    },
    async delete(blob) {
      if (blobKeyOf(blob) !== undefined) await client.send(new s3.DeleteObjectCommand(locate(blob)));
    },
    async close() {
      client.destroy();
    },
  };
}

async function abortable<Result>(signal: AbortSignal | undefined, work: () => Promise<Result>): Promise<Result> {
  if (signal?.aborted) throw new AbortedError(signal.reason);
  try {
    return await work();
  } catch (error) {
    throw signal?.aborted ? new AbortedError(signal.reason) : error;
  }
}

/** A store that may not list its bucket says 403 for what is not there; that is told apart from 404 on purpose. */
function isMissing(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NoSuchKey' || error.name === 'NotFound');
}

async function loadPackage() {
  try {
    return await import('@aws-sdk/client-s3');
  } catch (cause) {
    throw new MissingPackageError({ what: 'The blob store on S3', packages: ['@aws-sdk/client-s3'], cause });
  }
}

function fail(argument: string, expected: string, received: unknown): never {
  throw new InvalidArgumentError({ argument, expected, received: String(received) });
}
