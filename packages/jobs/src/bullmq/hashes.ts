import type { JobEvent, JobRecord, JobState } from '@vibe-edit/core';

/** A job's hash as the scripts give it: names and values in turns. */
export type FlatHash = readonly string[];

export function recordOf(flat: FlatHash): JobRecord {
  const fields = fieldsOf(flat);
  const number = (name: string): number | undefined => (fields[name] === undefined ? undefined : Number(fields[name]));
  const json = (name: string) => (fields[name] === undefined ? undefined : JSON.parse(fields[name]));
  return {
    id: fields.id ?? '',
    user: fields.user ?? '',
    state: fields.state as JobState,
    request: json('request'),
    parent: fields.parent,
    priority: number('priority') ?? 0,
    createdAt: number('createdAt') ?? 0,
    startedAt: number('startedAt'),
    finishedAt: number('finishedAt'),
    expiresAt: number('expiresAt'),
    attempts: number('attempts') ?? 0,
    cancelling: fields.cancelling !== undefined,
    progress: json('progress'),
    result: json('result'),
    error: json('error'),
    sequence: number('sequence') ?? 0,
    workload: fields.workload ?? '',
  };
}

export function fieldsOf(flat: FlatHash): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let index = 0; index + 1 < flat.length; index += 2) fields[flat[index] as string] = flat[index + 1] as string;
  return fields;
}

export function eventOf(text: string): JobEvent {
  const event = JSON.parse(text);
  if (event.type === 'finished') return { ...event, result: event.result, error: event.error };
  if (event.type !== 'preview') return event;
  return { ...event, preview: { ...event.preview, data: new Uint8Array(Buffer.from(event.preview.data, 'base64')) } };
}
