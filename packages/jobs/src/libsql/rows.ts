import type { JobEvent, JobRecord } from '@vibe-edit/core';

/** A row of `jobs`. */
export interface JobRow {
  sequence: number;
  id: string;
  user: string;
  state: JobRecord['state'];
  request: string;
  parent: string | null;
  priority: number;
  workload: string;
  fingerprint: string;
  idempotent_until: number;
  created_at: number;
  started_at: number | null;
  finished_at: number | null;
  expires_at: number | null;
  retention_ms: number;
  attempts: number;
  losses: number;
  cancelling: number;
  progress: string | null;
  result: string | null;
  error: string | null;
  outbox: string | null;
  deliveries: number;
}

/** A row of `events`. */
export interface EventRow {
  number: number;
  at: number;
  type: JobEvent['type'];
  body: string;
  data: Uint8Array | null;
}

export function recordOf(row: JobRow): JobRecord {
  return {
    id: row.id,
    user: row.user,
    state: row.state,
    request: JSON.parse(row.request),
    parent: row.parent ?? undefined,
    priority: row.priority,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    expiresAt: row.expires_at ?? undefined,
    attempts: row.attempts,
    cancelling: row.cancelling === 1,
    progress: parsed(row.progress),
    result: parsed(row.result),
    error: parsed(row.error),
    sequence: row.sequence,
    workload: row.workload,
  };
}

export function eventOf({ number, at, type, body, data }: EventRow): JobEvent {
  const event = { id: number, at, type, ...JSON.parse(body) };
  if (type === 'finished') return { ...event, result: event.result, error: event.error };
  if (data === null) return event;
  return { ...event, preview: { ...event.preview, data: new Uint8Array(data) } };
}

function parsed(text: string | null) {
  return text === null ? undefined : JSON.parse(text);
}
