import type { JobEvent } from '@vibe-edit/core';
import type { ServerSentEvent } from '../http/event-stream.js';
import type { WebhookParts } from '../webhook-parts.js';
import { viewJob } from './view-job.js';

/** A job's events as the API sends them, from after an event on to the end. */
export async function* jobEvents(
  { queue }: Pick<WebhookParts, 'queue'>,
  options: { id: string; after: number; jobsUrl: string; signal: AbortSignal },
): AsyncGenerator<ServerSentEvent> {
  const { id, after, jobsUrl, signal } = options;
  for await (const event of queue.events(id, { after, signal })) {
    const data =
      event.type === 'finished'
        ? { job: viewJob(await queue.get(id), jobsUrl) }
        : { at: time(event), ...details(event) };
    yield { event: event.type, ...(event.id > 0 && { id: String(event.id) }), data: JSON.stringify(data) };
  }
}

function time({ at }: JobEvent): string {
  return new Date(at).toISOString();
}

function details(event: Exclude<JobEvent, { type: 'finished' }>): Record<string, unknown> {
  switch (event.type) {
    case 'queued':
      return {};
    case 'position':
      return { position: event.position, estimated_wait_seconds: event.estimatedWaitSeconds ?? null };
    case 'running':
      return { attempt: event.attempt };
    case 'progress':
      return { ...event.progress };
    case 'preview': {
      const { data, mediaType, width, height } = event.preview;
      const b64_json = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
      return { ...event.progress, preview: { media_type: mediaType, width, height, b64_json } };
    }
  }
}
