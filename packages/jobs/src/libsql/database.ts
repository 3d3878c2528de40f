import { chmodSync, mkdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { InvalidArgumentError, MissingPackageError } from '@vibe-edit/core';
import { APPLICATION_ID, SCHEMA, SCHEMA_VERSION } from './schema.js';

type Libsql = typeof import('libsql');
type Connection = InstanceType<Libsql>;

/** The part of a prepared statement that is used. */
interface Statement {
  get(...values: Value[]): unknown;
  all(...values: Value[]): unknown[];
  run(...values: Value[]): { changes: number };
}

export type Value = string | number | null | Uint8Array;

/** How long a process waits for another one's transaction, ms. They take a millisecond or so. */
const BUSY_MS = 10_000;

/** One connection, its statements kept prepared. All calls are synchronous. */
export interface Database {
  /** The first row; the caller knows its columns. */
  one<Row>(sql: string, ...values: Value[]): Row | undefined;
  all<Row>(sql: string, ...values: Value[]): Row[];
  /** @returns Rows changed. */
  run(sql: string, ...values: Value[]): number;
  /** All or nothing, and alone: nobody else writes meanwhile. What it wrote outlives the process; a loss of power only after `flush`. */
  transaction<Result>(work: () => Result): Result;
  /** Resolves when the disk has everything that was written before the call. Calls at the same time share one flush. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens or makes the file.
 * @throws {MissingPackageError} without `libsql`.
 * @throws {InvalidArgumentError} when the file is something else.
 */
export async function openDatabase(file: string): Promise<Database> {
  let Connection: Libsql;
  try {
    ({ default: Connection } = await import('libsql'));
  } catch (cause) {
    throw new MissingPackageError({ what: 'The queue in a file', packages: ['libsql'], cause });
  }
  const path = resolve(file);
  mkdirSync(dirname(path), { recursive: true });
  const connection = new Connection(path, { timeout: BUSY_MS });
  try {
    await switchToWal(connection, path);
    prepareFile(connection, path);
  } catch (error) {
    connection.close();
    throw error;
  }
  return wrap(connection, createLogFlusher(path));
}

/** The switch does not wait for others as transactions do. */
async function switchToWal(connection: Connection, path: string): Promise<void> {
  const end = Date.now() + BUSY_MS;
  for (;;) {
    try {
      connection.exec('PRAGMA journal_mode = WAL');
      connection.exec('PRAGMA synchronous = NORMAL');
      return;
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
      if (code === 'SQLITE_NOTADB') throw wrongFile(path, 'something else', cause);
      if (!code.startsWith('SQLITE_BUSY') || Date.now() > end) throw cause;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function prepareFile(connection: Connection, path: string): void {
  const number = (sql: string): number => Number(Object.values(connection.prepare(sql).get() as object)[0]);
  connection.exec('BEGIN IMMEDIATE');
  try {
    const tables = number("SELECT count(*) FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'");
    if (tables === 0) connection.exec(SCHEMA);
    else if (number('PRAGMA application_id') !== APPLICATION_ID) throw wrongFile(path, 'another database');
    else if (number('PRAGMA user_version') !== SCHEMA_VERSION)
      throw wrongFile(path, `one of version ${number('PRAGMA user_version')}`);
    connection.exec('COMMIT');
  } catch (error) {
    connection.exec('ROLLBACK');
    throw error;
  }
  // Requests hold what people wrote.
  for (const suffix of ['', '-wal', '-shm']) {
    try {
      chmodSync(path + suffix, 0o600);
    } catch {
      // Not ours to change, or a file system without modes.
    }
  }
}

function wrongFile(path: string, received: string, cause?: unknown): InvalidArgumentError {
  const expected = `a file of this queue, version ${SCHEMA_VERSION}, or none at ${path}`;
  return new InvalidArgumentError({ argument: 'file', expected, received, cause });
}

function wrap(connection: Connection, log: ReturnType<typeof createLogFlusher>): Database {
  const statements = new Map<string, Statement>();
  const prepare = (sql: string): Statement => {
    let statement = statements.get(sql);
    if (statement === undefined) {
      statement = connection.prepare(sql) as Statement;
      statements.set(sql, statement);
    }
    return statement;
  };
  return {
    one: <Row>(sql: string, ...values: Value[]) => prepare(sql).get(...values) as Row | undefined,
    all: <Row>(sql: string, ...values: Value[]) => prepare(sql).all(...values) as Row[],
    run: (sql, ...values) => prepare(sql).run(...values).changes,
    transaction(work) {
      connection.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        connection.exec('COMMIT');
        return result;
      } catch (error) {
        connection.exec('ROLLBACK');
        throw error;
      }
    },
    flush: log.flush,
    async close() {
      statements.clear();
      connection.close();
      await log.close();
    },
  };
}

/**
 * Brings the write-ahead log to the disk. SQLite would do it in each commit, while everything else in this process waits; a flush from
 * outside has the same effect, since the log is only ever added to until it was copied, and SQLite flushes it before it copies.
 */
function createLogFlusher(path: string) {
  let file: Promise<FileHandle> | undefined;
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const sync = async (): Promise<void> => {
    file ??= open(`${path}-wal`, 'r+');
    await (await file).datasync();
  };
  return {
    flush(): Promise<void> {
      // One that runs already may have begun before the caller's last write.
      next ??= (running ?? Promise.resolve())
        .catch(() => {})
        .then(() => {
          running = next;
          next = undefined;
          return sync();
        });
      return next;
    },
    async close(): Promise<void> {
      await Promise.allSettled([running, next]);
      const [opened] = await Promise.allSettled([file]);
      if (opened?.status === 'fulfilled') await opened.value?.close();
    },
  };
}
