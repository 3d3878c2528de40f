import { z } from 'zod';
import { deleteParameters, jobList, jobParameters, jobView, listParameters } from '../jobs/job-schema.js';
import { imageParameters, imagesAnswer, model, modelList } from '../openai/image-parameters.js';
import { callbackSecret, info, queueView, status } from '../operations/operation-schema.js';
import type { WebhookLimits } from '../webhook-limits.js';
import { type Content, type Operation, operations } from './operations.js';

/** The parts of JSON Schema that the documentation shows. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly [keyword: string]: unknown;
}

export interface OpenApiDocument {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, object>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>>; readonly [kind: string]: object };
}

const error = z.object({
  error: z.object({
    message: z.string(),
    type: z.string(),
    param: z.string().nullable().describe('The parameter at fault.'),
    code: z.string().describe('Stable.'),
  }),
});

const ERRORS: Readonly<Record<number, string>> = {
  400: 'A parameter or picture is not what it should be.',
  401: 'No key, or an unknown one.',
  404: 'There is no such thing, or it is somebody else’s.',
  408: 'The body came too slowly.',
  409: 'The job is in another state.',
  413: 'The body or a picture is too large.',
  415: 'The body is of another type.',
  416: 'The picture has no such bytes.',
  422: 'The idempotency key came before with another request.',
  429: 'Too many requests; `Retry-After` says when to come again.',
  503: 'The queue is full or cannot be reached, or the server is about to stop; `Retry-After` says when to come again.',
  504: 'It took too long; the job was cancelled.',
};

function schemas(limits: WebhookLimits): Record<string, JsonSchema> {
  const input = (schema: z.ZodType): JsonSchema => toJsonSchema(schema, 'input');
  const output = (schema: z.ZodType): JsonSchema => toJsonSchema(schema, 'output');
  return {
    JobParameters: input(jobParameters(limits)),
    ListParameters: input(listParameters),
    DeleteParameters: input(deleteParameters),
    ImageParameters: input(imageParameters(limits)),
    Job: output(jobView),
    JobList: output(jobList),
    ImagesAnswer: output(imagesAnswer),
    Model: output(model),
    ModelList: output(modelList),
    Info: output(info),
    Queue: output(queueView),
    CallbackSecret: output(callbackSecret),
    Status: output(status),
    Error: output(error),
  };
}

function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest as JsonSchema;
}

/** The webhook's OpenAPI 3.1 document, made from the schemas that requests are checked with. */
export function openApiDocument(limits: WebhookLimits): OpenApiDocument {
  const components = schemas(limits);
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations(limits)) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describe(operation, components) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'vibe-edit',
      version: '1',
      description: 'Edits pictures by instruction. Jobs are queued, carried out in turn, and can be followed.',
    },
    paths,
    components: { schemas: components, securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
  };
}

function describe(operation: Operation, components: Record<string, JsonSchema>): object {
  const { group, summary, description, callers, query, body } = operation;
  const parameters = [
    ...(operation.parameters ?? []).map((parameter) => ({
      ...parameter,
      required: parameter.in === 'path',
      schema: { type: 'string' },
    })),
    ...Object.entries((query === undefined ? undefined : components[query]?.properties) ?? {}).map(
      ([name, { description: text, ...schema }]) => ({ in: 'query', name, required: false, description: text, schema }),
    ),
  ];
  return {
    tags: [group],
    operationId: operationId(operation),
    summary,
    ...(description !== undefined && { description }),
    security: callers ? [{ key: [] }] : [],
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && { requestBody: requestBody(body, operation.files, components) }),
    responses: responses(operation),
  };
}

/** E.g. `getJobsIdEvents`. */
function operationId({ method, path }: Operation): string {
  const words = path.split(/[^a-z]+/i).filter((word) => word !== '' && word !== 'v');
  return method + words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join('');
}

function requestBody(name: string, files: readonly string[] = [], components: Record<string, JsonSchema>): object {
  const json = { schema: { $ref: `#/components/schemas/${name}` } };
  const schema = components[name];
  const fileSchema = { type: 'string', format: 'binary', contentMediaType: 'image/*' };
  const uploads = Object.fromEntries(files.map((file) => [file, fileSchema]));
  const form = { schema: { ...schema, properties: { ...schema?.properties, ...uploads } } };
  return { required: true, content: { 'multipart/form-data': form, 'application/json': json } };
}

function responses({ answers, callers, errors = [] }: Operation): object {
  const list: Record<string, object> = {};
  for (const [code, { description, content }] of Object.entries(answers)) {
    list[code] = { description, ...(content !== undefined && { content: contentOf(content) }) };
  }
  for (const code of [...errors, ...(callers ? [401, 429, 503] : [])]) {
    list[code] ??= { description: ERRORS[code], content: contentOf({ schema: 'Error' }) };
  }
  return list;
}

function contentOf(content: Content): object {
  if ('schema' in content)
    return { 'application/json': { schema: { $ref: `#/components/schemas/${content.schema}` } } };
  if ('binary' in content) return { [content.binary]: { schema: { type: 'string', format: 'binary' } } };
  return { [content.text]: { schema: { type: 'string' } } };
}
