import { InvalidArgumentError } from '@vibe-edit/core';

export interface WebhookLimits {
  /** Bytes of a request's body. Default 48 MiB. */
  maxBodyBytes: number;
  /** Bytes of one picture, fetched ones included. Default 24 MiB. */
  maxImageBytes: number;
  /** Pixels of one picture, told by its header. Default 50 million. */
  maxPixels: number;
  /** Bytes of all bodies that are in memory at a time; beyond it requests are put off. Decoding takes up to four times as much again. Default 256 MiB. */
  maxBytesInFlight: number;
  /** Seconds that a body may take. Default 120. */
  uploadSeconds: number;
  /** Seconds that a body may stand still. Default 15. */
  uploadIdleSeconds: number;
  /** Characters of an instruction. Default 2000. */
  maxInstructionLength: number;
  /** Pictures that one job may give: instructions times pictures each. Default 10. */
  maxImages: number;
  /** Denoising steps. Default 100. */
  maxSteps: number;
  /** Pixels of a result's longer side, where a caller sets it. Default 4096. */
  maxSide: number;
  /** Seconds that the OpenAI routes wait for a job before they cancel it. Default 900. */
  waitSeconds: number;
  /** Event streams that one caller may hold open, waiting OpenAI requests included. Default 64. */
  maxStreams: number;
  /** Seconds between signs of life on an event stream. Default 15. */
  heartbeatSeconds: number;
  /** Requests a minute and caller. Default 600. */
  requestsPerMinute: number;
  /** New jobs an hour and caller. Default 3600. */
  jobsPerHour: number;
}

const DEFAULTS: WebhookLimits = {
  maxBodyBytes: 48 * 1024 * 1024,
  maxImageBytes: 24 * 1024 * 1024,
  maxPixels: 50_000_000,
  maxBytesInFlight: 256 * 1024 * 1024,
  uploadSeconds: 120,
  uploadIdleSeconds: 15,
  maxInstructionLength: 2000,
  maxImages: 10,
  maxSteps: 100,
  maxSide: 4096,
  waitSeconds: 900,
  maxStreams: 64,
  heartbeatSeconds: 15,
  requestsPerMinute: 600,
  jobsPerHour: 3600,
};

/** @throws {InvalidArgumentError} */
export function resolveLimits(limits: Partial<WebhookLimits> = {}): WebhookLimits {
  const resolved = { ...DEFAULTS };
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(DEFAULTS, name)) {
      throw new InvalidArgumentError({ argument: 'limits', expected: 'known limits', received: name });
    }
    if (value === undefined) continue;
    if (!Number.isFinite(value) || value <= 0) {
      throw new InvalidArgumentError({
        argument: `limits.${name}`,
        expected: 'a number above 0',
        received: String(value),
      });
    }
    resolved[name as keyof WebhookLimits] = value;
  }
  return resolved;
}
