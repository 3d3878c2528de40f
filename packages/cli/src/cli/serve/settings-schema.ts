import { z } from 'zod';
import { BACKEND_NAMES } from '../backends.js';

/** The commands that are told by settings. */
export type ServiceName = 'serve' | 'worker';

const DAY = 24 * 60 * 60;
const MEBIBYTE = 1024 * 1024;

const text = (pattern: RegExp, expected: string) => z.string().regex(pattern, { error: `Expected ${expected}` });
const httpUrl = () =>
  text(/^https?:\/\/\S+$/, 'an http:// or https:// URL').refine((url) => URL.canParse(url), 'Expected a URL');
const count = (minimum: number, maximum: number) => z.int().min(minimum).max(maximum);

/** Of `vibe-edit serve` alone. */
const serveSettings = {
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('address to listen on; others than localhost only with an API key'),
  port: count(0, 65_535).default(8080).describe('port to listen on; 0: any that is free'),
  publicUrl: httpUrl().optional().describe('where others reach the server; links in callbacks begin with it'),
  playground: z.boolean().default(true).describe('the page at /'),
  requestsPerMinute: count(1, 1_000_000)
    .default(600)
    .describe('requests a minute and user; a key may have its own limit'),
  jobsPerHour: count(1, 1_000_000).default(3600).describe('new jobs an hour and user; a key may have its own limit'),
  maxImageBytes: count(1, 64 * MEBIBYTE)
    .default(24 * MEBIBYTE)
    .describe('bytes of one picture; a request may have twice as many'),
  maxPixels: count(1, 1_000_000_000).default(50_000_000).describe('pixels of one picture'),
  maxImages: count(1, 64).default(10).describe('pictures that one job may give'),
  maxSteps: count(1, 1000).default(100).describe('denoising steps'),
  maxSide: count(1, 65_535).default(4096).describe("pixels of a result's longer side, where a request sets it"),
  waitSeconds: count(1, DAY).default(900).describe("seconds that OpenAI's routes wait for a job"),
  corsOrigins: z.array(httpUrl()).default([]).describe('sites whose pages may call the API'),
  allowedAddresses: z
    .array(z.string().min(1))
    .default([])
    .describe('addresses inside, as CIDR, that pictures may be fetched from and callbacks sent to'),
  callbackSecret: z
    .string()
    .min(24)
    .optional()
    .describe('callbacks are signed with secrets made from it; without: one that is kept in the data folder'),
  metrics: z.enum(['callers', 'anybody', 'off']).default('callers').describe('who may read /metrics'),
  logInstructions: z.boolean().default(false).describe('write instructions into the log'),
};

/** Of `vibe-edit worker` too. */
const sharedSettings = {
  data: z.string().min(1).default('vibe-edit-data').describe('folder of jobs, pictures, keys; made if it is not there'),
  checkpoint: z
    .string()
    .min(1)
    .optional()
    .describe('folder, or OWNER/REPO[@REVISION] that was pulled; without: the embedded one'),
  backend: z.enum(BACKEND_NAMES).default(BACKEND_NAMES[0]).describe('what runs the model'),
  concurrency: count(0, 64).default(1).describe('jobs carried out here at once; 0: none, workers do'),
  jobTimeoutSeconds: count(1, 7 * DAY)
    .default(30 * 60)
    .describe('seconds that a job may run'),
  drainSeconds: count(0, DAY)
    .default(30)
    .describe(
      'seconds that running jobs get to finish when the process is told to end; then they go back into the queue',
    ),
  redis: text(/^rediss?:\/\/\S+$/, 'a redis:// or rediss:// URL')
    .optional()
    .describe('URL of a Redis for the queue; without: a file in the data folder'),
  queueName: text(/^[\w-]{1,64}$/, '1 to 64 letters, digits, - and _')
    .default('jobs')
    .describe('name of the queue on Redis; processes with the same name share it'),
  s3Bucket: z.string().min(1).optional().describe('bucket for pictures; without: a folder in the data folder'),
  s3Prefix: z.string().optional().describe('put before the names of pictures'),
  s3Endpoint: httpUrl().optional().describe("URL of a store that is not Amazon's"),
  s3Region: z.string().min(1).optional().describe('region of the bucket'),
  leaseSeconds: count(2, 3600)
    .default(30)
    .describe('seconds after which a process that was not heard of counts as lost, and its jobs go to others'),
  maxAttempts: count(1, 1000)
    .default(25)
    .describe('how often a job is begun when the processes that run it are killed; then it fails'),
  maxQueued: count(1, 1_000_000).default(1000).describe('jobs that may wait in all'),
  maxPerUser: count(1, 1_000_000).default(20).describe('unfinished jobs that one user may have'),
  expiresInSeconds: count(1, 365 * DAY)
    .default(DAY)
    .describe('seconds that a job may wait to be begun'),
  retentionSeconds: count(1, 365 * DAY)
    .default(DAY)
    .describe('seconds that finished jobs and their pictures are kept'),
  logLevel: z
    .enum(['error', 'warn', 'info', 'debug'])
    .default('info')
    .describe('what is logged: this and what is worse'),
};

/** Which commands use a setting. */
export function usersOf(name: keyof Settings): readonly ServiceName[] {
  return name in sharedSettings ? ['serve', 'worker'] : ['serve'];
}

/** Those without a flag: what stands on a command line is there for everybody on the machine to see. */
export const SECRETS: ReadonlySet<keyof Settings> = new Set(['callbackSecret']);

/**
 * Everything that `vibe-edit serve` and `vibe-edit worker` can be told, under the names of the configuration file. Flags and environment
 * variables are the same names, spelled as such are; the descriptions end up in `--help` and in the table of docs/serve.md.
 */
export const settingsSchema = z.strictObject({ ...serveSettings, ...sharedSettings });

export type Settings = z.output<typeof settingsSchema>;
