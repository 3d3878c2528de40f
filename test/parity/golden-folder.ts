import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type LoadedTensor, type Raster8, readSafetensorsFile, sharpCodec } from '@vibe-edit/core';
import type { Report } from './report.js';

/** Files that describe or make the data and hold no results. */
export const NO_DATA = /(^|\/)(README\.md|make\w*\.py)$/;

/** A folder of golden data that knows which of its files and tensors a check has taken. */
export class GoldenFolder {
  readonly path: string;
  readonly #files = new Set<string>();
  readonly #tensorFiles = new Map<string, GoldenTensors>();

  private constructor(path: string) {
    this.path = path;
  }

  static async open(path: string): Promise<GoldenFolder> {
    const folder = new GoldenFolder(path);
    for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
      const name = relative(path, join(entry.parentPath, entry.name)).replaceAll('\\', '/');
      if (!entry.isDirectory() && !NO_DATA.test(name)) folder.#files.add(name);
    }
    return folder;
  }

  /** Leaves the files below a path to checks of their own; a path outside the folder changes nothing. */
  leaveOut(path: string): void {
    const prefix = `${relative(this.path, path).replaceAll('\\', '/')}/`;
    for (const name of this.list(prefix)) this.#files.delete(name);
  }

  has(name: string): boolean {
    return existsSync(join(this.path, name));
  }

  /** Names of the files below a folder of it. */
  list(prefix: string): string[] {
    return [...this.#files].filter((name) => name.startsWith(prefix)).sort();
  }

  /** Marks a file as looked at and gives its path. */
  take(name: string): string {
    this.#files.delete(name);
    return join(this.path, name);
  }

  async json<Value>(name: string): Promise<Value> {
    return JSON.parse(await readFile(this.take(name), 'utf8'));
  }

  async picture(name: string): Promise<Raster8> {
    return (await sharpCodec.decode(this.take(name))).raster;
  }

  async tensors(name: string): Promise<GoldenTensors> {
    const known = this.#tensorFiles.get(name);
    if (known !== undefined) return known;
    const tensors = new GoldenTensors(name, await readSafetensorsFile(this.take(name)));
    this.#tensorFiles.set(name, tensors);
    return tensors;
  }

  /** Reports every file and tensor that no check took. */
  reportLeft(report: Report): void {
    for (const name of this.#files) report.notCompared(name);
    for (const file of this.#tensorFiles.values())
      for (const name of file.left) report.notCompared(`${file.name}: ${name}`);
  }
}

/** The tensors of one file; those that were not taken are an error in the end. */
export class GoldenTensors {
  readonly name: string;
  readonly #tensors: ReadonlyMap<string, LoadedTensor>;
  readonly #left: Set<string>;

  constructor(name: string, tensors: ReadonlyMap<string, LoadedTensor>) {
    this.name = name;
    this.#tensors = tensors;
    this.#left = new Set(tensors.keys());
  }

  get names(): string[] {
    return [...this.#tensors.keys()];
  }

  get left(): string[] {
    return [...this.#left];
  }

  take(name: string): LoadedTensor {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw new Error(`${this.name} holds no tensor ${name}`);
    this.#left.delete(name);
    return tensor;
  }

  /** A float tensor's values. */
  floats(name: string): Float32Array {
    const { values } = this.take(name);
    if (!(values instanceof Float32Array)) throw new Error(`${this.name}: ${name} holds no floats`);
    return values;
  }
}
