/** Counts which jobs refer to a blob, and remembers those that none refers to any more until they are deleted. */
export class BlobCounts {
  readonly #counts = new Map<string, number>();
  readonly #garbage = new Set<string>();

  isGarbage(key: string): boolean {
    return this.#garbage.has(key);
  }

  add(keys: readonly string[]): void {
    for (const key of keys) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  remove(keys: readonly string[]): void {
    for (const key of keys) {
      const count = (this.#counts.get(key) ?? 1) - 1;
      if (count > 0) this.#counts.set(key, count);
      else this.#counts.delete(key);
    }
    this.discard(keys);
  }

  /** Makes those that no job refers to garbage. */
  discard(keys: readonly string[]): void {
    for (const key of keys) if (!this.#counts.has(key)) this.#garbage.add(key);
  }

  garbage(limit: number): readonly string[] {
    return [...this.#garbage].slice(0, limit);
  }

  collected(keys: readonly string[]): void {
    for (const key of keys) this.#garbage.delete(key);
  }
}
