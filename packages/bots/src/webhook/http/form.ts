/** A request's parameters, however they were encoded. */
export interface Form {
  readonly encoding: 'multipart' | 'json';
  /** By name; the text of a multipart field, or what stood in the JSON. A field that came several times is a list. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Uploaded files by name. */
  readonly files: ReadonlyMap<string, readonly Uint8Array[]>;
}
