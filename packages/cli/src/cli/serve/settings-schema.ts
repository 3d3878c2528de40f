import { z } from 'zod';
import { BACKEND_NAMES } from '../backends.js';

/** The commands that are told by settings. */
export type ServiceName = 'serve' | 'worker';

interface SettingNotes {
  /** Ends up in `--help` and in the table of docs/serve.md. */
  readonly description: string;
  /** Which commands use it. Default: both. */
  readonly only?: ServiceName;
  /** Has no flag: what stands on a command line is there for everybody on the machine to see. */
  readonly secret?: true;
}

/** Written notes on a setting; what is in the schema itself (type, bounds, default) is read from there. */
export const settingNotes = z.registry<SettingNotes>();

const DAY = 24 * 60 * 60;
const MEBIBYTE = 1024 * 1024;

const text = (pattern: RegExp, expected: string) => z.string().regex(pattern, { error: `Expected ${expected}` });
const httpUrl = () =>
  text(/^https?:\/\/\S+$/, 'an http:// or https:// URL').refine((url) => URL.canParse(url), 'Expected a URL');
const count = (minimum: number, maximum: number) => z.int().min(minimum).max(maximum);

/**
 * Everything that `vibe-edit serve` and `vibe-edit worker` can be told, under the names of the configuration file. Flags and environment
 * variables are the same names, spelled as such are.
 */
export const settingsSchema = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').register(settingNotes, {
    description: 'address to listen on; others than localhost only with an API key',
    only: 'serve',
  }),
  port: count(0, 65_535).default(8080).register(settingNotes, {
    description: 'port to listen on; 0: any that is free',
    only: 'serve',
  }),
  publicUrl: httpUrl().optional().register(settingNotes, {
    description: 'where others reach the server; links in callbacks begin with it',
    only: 'serve',
  }),
  playground: z.boolean().default(true).register(settingNotes, { description: 'the page at /', only: 'serve' }),
  data: z.string().min(1).default('vibe-edit-data').register(settingNotes, {
    description: 'folder of jobs, pictures, keys; made if it is not there',
  }),
  checkpoint: z.string().min(1).optional().register(settingNotes, {
    description: 'folder, or OWNER/REPO[@REVISION] that was pulled; without: the embedded one',
  }),
  backend: z.enum(BACKEND_NAMES).default(BACKEND_NAMES[0]).register(settingNotes, {
    description: 'what runs the model',
  }),
  concurrency: count(0, 64).default(1).register(settingNotes, {
    description: 'jobs carried out here at once; 0: none, workers do',
  }),
  jobTimeoutSeconds: count(1, 7 * DAY)
    .default(30 * 60)
    .register(settingNotes, {
      description: 'seconds that a job may run',
    }),
  drainSeconds: count(0, DAY).default(30).register(settingNotes, {
    description:
      'seconds that running jobs get to finish when the process is told to end; then they go back into the queue',
  }),
  redis: text(/^rediss?:\/\/\S+$/, 'a redis:// or rediss:// URL')
    .optional()
    .register(settingNotes, {
      description: 'URL of a Redis for the queue; without: a file in the data folder',
    }),
  queueName: text(/^[\w-]{1,64}$/, '1 to 64 letters, digits, - and _')
    .default('jobs')
    .register(settingNotes, {
      description: 'name of the queue on Redis; processes with the same name share it',
    }),
  s3Bucket: z.string().min(1).optional().register(settingNotes, {
    description: 'bucket for pictures; without: a folder in the data folder',
  }),
  s3Prefix: z.string().optional().register(settingNotes, { description: 'put before the names of pictures' }),
  s3Endpoint: httpUrl().optional().register(settingNotes, { description: "URL of a store that is not Amazon's" }),
  s3Region: z.string().min(1).optional().register(settingNotes, { description: 'region of the bucket' }),
  leaseSeconds: count(2, 3600).default(30).register(settingNotes, {
    description: 'seconds after which a process that was not heard of counts as lost, and its jobs go to others',
  }),
  maxAttempts: count(1, 1000).default(25).register(settingNotes, {
    description: 'how often a job is begun when the processes that run it are killed; then it fails',
  }),
  maxQueued: count(1, 1_000_000).default(1000).register(settingNotes, { description: 'jobs that may wait in all' }),
  maxPerUser: count(1, 1_000_000).default(20).register(settingNotes, {
    description: 'unfinished jobs that one user may have',
  }),
  expiresInSeconds: count(1, 365 * DAY)
    .default(DAY)
    .register(settingNotes, {
      description: 'seconds that a job may wait to be begun',
    }),
  retentionSeconds: count(1, 365 * DAY)
    .default(DAY)
    .register(settingNotes, {
      description: 'seconds that finished jobs and their pictures are kept',
    }),
  requestsPerMinute: count(1, 1_000_000).default(600).register(settingNotes, {
    description: 'requests a minute and user; a key may have its own limit',
    only: 'serve',
  }),
  jobsPerHour: count(1, 1_000_000).default(3600).register(settingNotes, {
    description: 'new jobs an hour and user; a key may have its own limit',
    only: 'serve',
  }),
  maxImageBytes: count(1, 64 * MEBIBYTE)
    .default(24 * MEBIBYTE)
    .register(settingNotes, {
      description: 'bytes of one picture; a request may have twice as many',
      only: 'serve',
    }),
  maxPixels: count(1, 1_000_000_000).default(50_000_000).register(settingNotes, {
    description: 'pixels of one picture',
    only: 'serve',
  }),
  maxImages: count(1, 64).default(10).register(settingNotes, {
    description: 'pictures that one job may give',
    only: 'serve',
  }),
  maxSteps: count(1, 1000).default(100).register(settingNotes, { description: 'denoising steps', only: 'serve' }),
  maxSide: count(1, 65_535).default(4096).register(settingNotes, {
    description: "pixels of a result's longer side, where a request sets it",
    only: 'serve',
  }),
  waitSeconds: count(1, DAY).default(900).register(settingNotes, {
    description: "seconds that OpenAI's routes wait for a job",
    only: 'serve',
  }),
  corsOrigins: z.array(httpUrl()).default([]).register(settingNotes, {
    description: 'sites whose pages may call the API',
    only: 'serve',
  }),
  allowedAddresses: z.array(z.string().min(1)).default([]).register(settingNotes, {
    description: 'addresses inside, as CIDR, that pictures may be fetched from and callbacks sent to',
    only: 'serve',
  }),
  callbackSecret: z.string().min(24).optional().register(settingNotes, {
    description: 'callbacks are signed with secrets made from it; without: one that is kept in the data folder',
    only: 'serve',
    secret: true,
  }),
  metrics: z.enum(['callers', 'anybody', 'off']).default('callers').register(settingNotes, {
    description: 'who may read /metrics',
    only: 'serve',
  }),
  logLevel: z.enum(['error', 'warn', 'info']).default('info').register(settingNotes, {
    description: 'what is logged: this and what is worse',
  }),
  logInstructions: z.boolean().default(false).register(settingNotes, {
    description: 'write instructions into the log',
    only: 'serve',
  }),
});

export type Settings = z.output<typeof settingsSchema>;
