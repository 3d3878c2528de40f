import { chmodSync, mkdirSync } from 'node:fs';
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
  /**
   * All or nothing, and alone: nobody else writes meanwhile.
   * @param options.durable Returns only when the disk has it: it outlives a loss of power. Otherwise it outlives the process.
   */
  transaction<Result>(work: () => Result, options?: { durable?: boolean }): Result;
  close(): void;
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
  return wrap(connection);
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

function wrap(connection: Connection): Database {
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
    transaction(work, { durable = false } = {}) {
      if (durable) connection.exec('PRAGMA synchronous = FULL');
      try {
        connection.exec('BEGIN IMMEDIATE');
        try {
          const result = work();
          connection.exec('COMMIT');
          return result;
        } catch (error) {
          connection.exec('ROLLBACK');
          throw error;
        }
      } finally {
        if (durable) connection.exec('PRAGMA synchronous = NORMAL');
      }
    },
    close() {
      statements.clear();
      connection.close();
    },
  };
}
