/** What the page uses of a job as the API shows it. */
export interface JobView {
  readonly id: string;
  readonly state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'expired';
  readonly position: number | null;
  readonly estimated_wait_seconds: number | null;
  readonly estimated_run_seconds: number | null;
  readonly result: {
    readonly images: readonly { readonly width: number; readonly height: number; readonly media_type: string }[];
    readonly seed: number;
    readonly warnings: readonly { readonly code: string; readonly message: string }[];
    readonly seconds: Readonly<Record<string, number>>;
  } | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** Events of a job, by their names in the stream. */
export type JobEvent =
  | { readonly type: 'queued' }
  | { readonly type: 'position'; readonly position: number; readonly estimated_wait_seconds: number | null }
  | { readonly type: 'running'; readonly attempt: number }
  | ({ readonly type: 'progress' } & Progress)
  | ({ readonly type: 'preview'; readonly preview: { media_type: string; b64_json: string } } & Progress)
  | { readonly type: 'finished'; readonly job: JobView };

export interface Progress {
  readonly stage: string;
  readonly step: number;
  readonly steps: number;
}

/** What the server says of itself. */
export interface ServerInfo {
  readonly model: { readonly id: string; readonly defaults: Readonly<Record<string, number | string>> };
  readonly authentication: 'api_key' | 'local' | 'other';
  readonly limits: {
    readonly max_image_bytes: number;
    readonly max_pixels: number;
    readonly max_instruction_length: number;
    readonly max_steps: number;
  };
}

export interface QueueView {
  readonly queued: number;
  readonly running: number;
  readonly workers: number;
}
