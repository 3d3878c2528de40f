/** Points at bytes in a blob store. Plain data: it travels in jobs, events and JSON. */
export interface BlobReference {
  /** The store's name for the bytes: letters, digits, `-` and `_`, at most 128. Not to be guessed. */
  readonly key: string;
  /** E.g. `image/png`. */
  readonly mediaType: string;
  /** Length. */
  readonly bytes: number;
  /** SHA-256 of the bytes, 64 characters of 0-9a-f. */
  readonly sha256: string;
}

/** A stored picture whose size is known. */
export interface PictureReference extends BlobReference {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

export interface PutBlobOptions {
  /** E.g. `image/png`. */
  mediaType: string;
  /** Most bytes that are taken. Default: the store's limit, 64 MiB if nothing else was set. A higher number than the store's has no effect. */
  maxBytes?: number;
  signal?: AbortSignal;
}

/**
 * Where the pictures of jobs lie: sources, masks and results. Jobs carry references only. A blob never changes once it is stored, and
 * every `put` gives a new key, so that deleting one job's picture never takes another's.
 */
export interface BlobStore {
  /**
   * Stores bytes, all or nothing: a reference is only given for bytes that are safe.
   * @throws {BlobTooLargeError} when there are more bytes than allowed; a stream is not read further.
   * @throws {AbortedError}
   */
  put(data: Uint8Array | AsyncIterable<Uint8Array>, options: PutBlobOptions): Promise<BlobReference>;
  /**
   * The bytes of a reference or key.
   * @throws {BlobMissingError} when nothing is stored under it; any string may be given.
   */
  get(blob: BlobReference | string, options?: { signal?: AbortSignal }): Promise<Uint8Array>;
  /** Whether bytes are stored under it; false for any string that is no key. */
  exists(blob: BlobReference | string): Promise<boolean>;
  /** Deletes it; nothing happens when it is not there. */
  delete(blob: BlobReference | string): Promise<void>;
  /**
   * Keys of what was stored before a moment, in milliseconds since 1970; what was begun before it and never finished is removed on the
   * way. Needed by `sweepAfterSeconds` of a queue; a store may be without it.
   */
  list?(options: { before: number }): AsyncIterable<string>;
  /** Frees connections; the blobs stay, except in memory. Safe to call twice. */
  close(): Promise<void>;
}
