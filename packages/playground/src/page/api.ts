import { readEventStream } from './event-stream.js';
import type { JobEvent, JobView, QueueView, ServerInfo } from './job-view.js';

/** The server refused, or could not be reached (status 0). */
export class ApiFailure extends Error {
  readonly status: number;
  readonly code: string;

  constructor(options: { status: number; code: string; message: string }) {
    super(options.message);
    this.name = 'ApiFailure';
    this.status = options.status;
    this.code = options.code;
  }
}

/** The HTTP API as the page uses it. Everything throws `ApiFailure`. */
export interface Api {
  info(): Promise<ServerInfo>;
  queue(): Promise<QueueView>;
  submit(form: FormData): Promise<JobView>;
  job(id: string): Promise<JobView>;
  /** What happens to a job until it is finished. Goes on where it was when the connection breaks. */
  events(id: string, signal: AbortSignal): AsyncGenerator<JobEvent>;
  /** The picture that was made. Asked for again when the connection breaks. */
  result(id: string, signal: AbortSignal): Promise<Blob>;
  cancel(id: string): Promise<void>;
}

/** Tries in a row that reach nobody: with the pauses between them about a minute, in which a server starts anew. */
const RETRIES = 14;

/**
 * @param options.base Address that `v1/` lies under, with a slash at its end.
 * @param options.key The key to send, if any, each time anew.
 */
export function createApi(options: {
  base: string;
  key: () => string | undefined;
  fetch?: typeof fetch;
  /** Milliseconds before the first try to connect again; it grows up to ten times. Default 500. */
  retryDelay?: number;
}): Api {
  const { base, key, fetch: send = (...args) => fetch(...args), retryDelay = 500 } = options;

  async function request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    const current = key();
    if (current !== undefined) headers.set('authorization', `Bearer ${current}`);
    const response = await send(new URL(path, base), { ...init, headers }).catch((cause: unknown) => {
      if (init.signal?.aborted) throw cause;
      throw unreachable();
    });
    if (response.ok) return response;
    const body = (await response.json().catch(() => ({}))) as { error?: { code?: string; message?: string } };
    throw new ApiFailure({
      status: response.status,
      code: body.error?.code ?? 'unknown',
      message: body.error?.message ?? `The server answered with status ${response.status}`,
    });
  }

  const json = async <Value>(path: string, init?: RequestInit): Promise<Value> =>
    (await (await request(path, init)).json()) as Value;

  async function* events(id: string, signal: AbortSignal): AsyncGenerator<JobEvent> {
    let last = '0';
    for (let failures = 0; ; ) {
      try {
        const response = await request(`v1/jobs/${id}/events`, { headers: { 'last-event-id': last }, signal });
        if (response.status === 204 || response.body === null) {
          yield { type: 'finished', job: await json<JobView>(`v1/jobs/${id}`, { signal }) };
          return;
        }
        for await (const event of readEventStream(response.body)) {
          failures = 0;
          last = event.id ?? last;
          const parsed = { ...(JSON.parse(event.data) as object), type: event.type } as JobEvent;
          yield parsed;
          if (parsed.type === 'finished') return;
        }
      } catch (error) {
        if (signal.aborted || !mayPass(error)) throw error;
      }
      failures += 1;
      if (failures > RETRIES) throw unreachable();
      await rest(failures, signal);
    }
  }

  const rest = (failures: number, signal: AbortSignal): Promise<void> =>
    pause(retryDelay * Math.min(10, 2 ** (failures - 1)), signal);

  async function result(id: string, signal: AbortSignal): Promise<Blob> {
    for (let failures = 1; ; failures++) {
      try {
        return await (await request(`v1/jobs/${id}/result`, { signal })).blob();
      } catch (error) {
        if (signal.aborted || !mayPass(error) || failures > RETRIES) throw error;
      }
      await rest(failures, signal);
    }
  }

  return {
    info: () => json('v1/info'),
    queue: () => json('v1/queue'),
    submit: (form) => json('v1/jobs', { method: 'POST', body: form }),
    job: (id) => json(`v1/jobs/${id}`),
    events,
    result,
    cancel: async (id) => void (await request(`v1/jobs/${id}`, { method: 'DELETE' })),
  };
}

function unreachable(): ApiFailure {
  return new ApiFailure({ status: 0, code: 'unreachable', message: 'The server cannot be reached' });
}

/** Whether what went wrong may go well the next time: no connection, one that broke, a server in trouble. */
function mayPass(error: unknown): boolean {
  return !(error instanceof ApiFailure) || error.status === 0 || error.status >= 500;
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      },
      { once: true },
    );
  });
}
