import type { WebhookLimits } from '../webhook-limits.js';

/** What one content type of an answer or request holds: a schema of the document, a picture, events or text. */
export type Content = { readonly schema: string } | { readonly binary: string } | { readonly text: string };

export interface Operation {
  readonly method: 'get' | 'post' | 'delete';
  /** With `{name}` for what a caller puts in. */
  readonly path: string;
  readonly group: 'Jobs' | 'OpenAI' | 'Server';
  readonly summary: string;
  readonly description?: string;
  /** Whether callers must say who they are. */
  readonly callers: boolean;
  readonly parameters?: readonly Parameter[];
  readonly query?: string;
  /** Schema of the body, which can come as a form or as JSON. */
  readonly body?: string;
  /** The form's files. */
  readonly files?: readonly string[];
  readonly answers: Readonly<Record<number, { readonly description: string; readonly content?: Content }>>;
  /** Statuses of errors that this route has besides those of all. */
  readonly errors?: readonly number[];
}

export interface Parameter {
  readonly in: 'path' | 'header' | 'query';
  readonly name: string;
  readonly description: string;
}

const ID: Parameter = { in: 'path', name: 'id', description: 'Id of the job.' };
const IDEMPOTENCY: Parameter = {
  in: 'header',
  name: 'Idempotency-Key',
  description:
    'The same key within 24 hours gives the first job and starts nothing; with another request it is refused (422).',
};
const RANGE: Parameter = { in: 'header', name: 'Range', description: 'One range of bytes, to go on with a download.' };
const JOB = { schema: 'Job' };
/** Of routes that take a picture and hand it to the queue. */
const SUBMIT_ERRORS = [400, 408, 413, 415, 422];
/** What both routes for a result's pictures have in common. */
const PICTURE = {
  method: 'get',
  group: 'Jobs',
  callers: true,
  answers: {
    200: { description: 'The picture.', content: { binary: 'image/*' } },
    206: { description: 'The range of it that was asked for.', content: { binary: 'image/*' } },
    304: { description: 'The caller has it: `If-None-Match`.' },
  },
  errors: [404, 409, 416],
} as const;
/** What OpenAI's two image routes have in common. */
const IMAGES = {
  method: 'post',
  group: 'OpenAI',
  callers: true,
  parameters: [IDEMPOTENCY],
  body: 'ImageParameters',
  answers: {
    200: {
      description: 'The pictures. `x-warnings` has the codes of the warnings, if there are any.',
      content: { schema: 'ImagesAnswer' },
    },
  },
  errors: [...SUBMIT_ERRORS, 404, 409, 504],
} as const;

/** Every route of the webhook, for its documentation. */
export function operations(limits: WebhookLimits): readonly Operation[] {
  return [
    {
      method: 'post',
      path: '/v1/jobs',
      group: 'Jobs',
      summary: 'Submit a job',
      description: 'Answers at once; the edit is carried out when its turn comes.',
      callers: true,
      parameters: [IDEMPOTENCY],
      body: 'JobParameters',
      files: ['image', 'mask'],
      answers: { 202: { description: 'Accepted; `Location` says where the job is.', content: JOB } },
      errors: SUBMIT_ERRORS,
    },
    {
      method: 'get',
      path: '/v1/jobs',
      group: 'Jobs',
      summary: 'List your jobs, newest first',
      callers: true,
      query: 'ListParameters',
      answers: { 200: { description: 'A page of jobs.', content: { schema: 'JobList' } } },
      errors: [400],
    },
    {
      method: 'get',
      path: '/v1/jobs/{id}',
      group: 'Jobs',
      summary: 'Look at a job',
      callers: true,
      parameters: [ID],
      answers: { 200: { description: 'The job as it stands.', content: JOB } },
      errors: [404],
    },
    {
      method: 'delete',
      path: '/v1/jobs/{id}',
      group: 'Jobs',
      summary: 'Cancel or forget a job',
      description:
        'Cancels a job. One that was done before stays as it is, with its result (409). With `forget` a job that is done is deleted ' +
        'with its pictures, and one that is not stays as it is (409).',
      callers: true,
      parameters: [ID],
      query: 'DeleteParameters',
      answers: {
        200: { description: 'Cancelled, now or before.', content: JOB },
        202: { description: 'Stops soon.', content: JOB },
        204: { description: 'Forgotten.' },
      },
      errors: [400, 404, 409],
    },
    { ...PICTURE, path: '/v1/jobs/{id}/result', summary: 'The first picture of the result', parameters: [ID, RANGE] },
    {
      ...PICTURE,
      path: '/v1/jobs/{id}/result/{index}',
      summary: 'One picture of the result',
      parameters: [
        ID,
        { in: 'path', name: 'index', description: 'Counts from 0; all of the first instruction first.' },
        RANGE,
      ],
    },
    {
      method: 'get',
      path: '/v1/jobs/{id}/events',
      group: 'Jobs',
      summary: 'Follow a job',
      description:
        'Server-sent events `queued`, `position`, `running`, `progress`, `preview` and, at last, `finished` with the whole job. ' +
        `A comment comes every ${limits.heartbeatSeconds} seconds. 204: there is nothing after the event last seen.`,
      callers: true,
      parameters: [
        ID,
        { in: 'header', name: 'Last-Event-ID', description: 'Number of the last event seen: goes on after it.' },
        { in: 'query', name: 'after', description: 'The same, where no header can be set.' },
      ],
      answers: {
        200: { description: 'Events.', content: { text: 'text/event-stream' } },
        204: { description: 'Everything was seen.' },
      },
      errors: [404],
    },
    {
      ...IMAGES,
      path: '/v1/images/edits',
      summary: 'Edit a picture and wait for it',
      description:
        "OpenAI's route. `mask`: a PNG that is transparent where the picture may change. With `stream` the answer is a stream of " +
        '`image_edit.partial_image` and `image_edit.completed`. Hanging up cancels the edit.',
      files: ['image', 'mask'],
    },
    {
      ...IMAGES,
      path: '/v1/images/generations',
      summary: 'Make a picture from a description and wait for it',
      description:
        "OpenAI's route; events of a stream are `image_generation.partial_image` and `image_generation.completed`.",
    },
    {
      method: 'get',
      path: '/v1/models',
      group: 'OpenAI',
      summary: 'The model that is here',
      callers: true,
      answers: { 200: { description: 'A list of one.', content: { schema: 'ModelList' } } },
    },
    {
      method: 'get',
      path: '/v1/models/{id}',
      group: 'OpenAI',
      summary: 'Look at the model',
      callers: true,
      parameters: [{ in: 'path', name: 'id', description: 'Its name.' }],
      answers: { 200: { description: 'The model.', content: { schema: 'Model' } } },
      errors: [404],
    },
    {
      method: 'get',
      path: '/v1/info',
      group: 'Server',
      summary: 'What this server does, and its limits',
      callers: false,
      answers: {
        200: { description: 'Model, limits, and how callers say who they are.', content: { schema: 'Info' } },
      },
    },
    {
      method: 'get',
      path: '/v1/queue',
      group: 'Server',
      summary: 'How much waits',
      callers: true,
      answers: { 200: { description: 'All jobs and your own.', content: { schema: 'Queue' } } },
    },
    {
      method: 'get',
      path: '/v1/callback-secret',
      group: 'Server',
      summary: 'The secret that your callbacks are signed with',
      callers: true,
      answers: { 200: { description: 'For any Standard Webhooks library.', content: { schema: 'CallbackSecret' } } },
      errors: [404],
    },
    {
      method: 'get',
      path: '/healthz',
      group: 'Server',
      summary: 'Whether the process lives',
      callers: false,
      answers: { 200: { description: 'It does.', content: { schema: 'Status' } } },
    },
    {
      method: 'get',
      path: '/readyz',
      group: 'Server',
      summary: 'Whether requests should be sent here',
      callers: false,
      answers: {
        200: { description: 'They should.', content: { schema: 'Status' } },
        503: {
          description: 'The queue cannot be reached, or the server is about to stop.',
          content: { schema: 'Status' },
        },
      },
    },
    {
      method: 'get',
      path: '/metrics',
      group: 'Server',
      summary: 'Metrics for Prometheus',
      description: 'Where `prom-client` is installed.',
      callers: true,
      answers: { 200: { description: 'Metrics.', content: { text: 'text/plain' } } },
    },
    {
      method: 'get',
      path: '/openapi.json',
      group: 'Server',
      summary: 'This description',
      callers: false,
      answers: { 200: { description: 'An OpenAPI 3.1 document.', content: { text: 'application/json' } } },
    },
    {
      method: 'get',
      path: '/docs',
      group: 'Server',
      summary: 'This description as a page',
      callers: false,
      answers: { 200: { description: 'A page.', content: { text: 'text/html' } } },
    },
  ];
}
