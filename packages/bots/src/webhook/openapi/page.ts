import type { WebhookLimits } from '../webhook-limits.js';
import type { JsonSchema, OpenApiDocument } from './document.js';
import { type Operation, operations } from './operations.js';

const STYLE = `
:root{color-scheme:light dark;--line:light-dark(#d5d7dc,#3a3d45);--soft:light-dark(#f4f5f7,#202228);--accent:light-dark(#0b57d0,#8ab4f8)}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:1.5rem;font:16px/1.5 system-ui,sans-serif;background:light-dark(#fff,#16171b);color:light-dark(#1b1c1f,#e6e7ea)}
h1{margin:0}h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}
a{color:var(--accent)}code{font:.9em ui-monospace,monospace;overflow-wrap:anywhere}
details{border:1px solid var(--line);border-radius:.5rem;margin:.6rem 0}
summary{padding:.6rem .9rem;cursor:pointer}summary:hover{background:var(--soft)}
details>div{padding:0 .9rem .9rem}
.method{display:inline-block;min-width:4.2rem;font-weight:700}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;border-top:1px solid var(--line)}
`;

/** What the page may load: nothing but its own style. */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The documentation as a page that needs nothing else: no script, no font, no other server. */
export function documentationPage(document: OpenApiDocument, limits: WebhookLimits): string {
  const list = operations(limits);
  const groups = [...new Set(list.map(({ group }) => group))];
  const { schemas } = document.components;
  const sections = groups.map((group) => {
    const entries = list.filter((operation) => operation.group === group);
    return `<section><h2>${group}</h2>${entries.map((entry) => operationHtml(entry, schemas)).join('')}</section>`;
  });
  const names = Object.entries(schemas).map(
    ([name, schema]) =>
      `<details id="${name}"><summary><code>${name}</code></summary><div>${propertiesHtml(schema)}</div></details>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${document.info.title} API</title><style>${STYLE}</style></head>
<body><header><h1>${document.info.title} API</h1><p>${text(document.info.description)}
The same as <a href="openapi.json">OpenAPI 3.1</a>.</p>
<p>Callers send <code>Authorization: Bearer KEY</code> where the server has keys. Every error is
<code>{"error": {"message", "type", "param", "code"}}</code>, and every answer has an <code>x-request-id</code>.</p></header>
<main>${sections.join('')}<section><h2>Schemas</h2>${names.join('')}</section></main></body></html>
`;
}

function operationHtml(operation: Operation, schemas: Readonly<Record<string, JsonSchema>>): string {
  const { method, path, summary, description, callers, parameters = [], body, query, answers } = operation;
  const schema = body ?? query;
  const rows = parameters.map(
    ({ name, in: where, description: about }) =>
      `<tr><td><code>${text(name)}</code></td><td>${where}</td><td>${prose(about)}</td></tr>`,
  );
  const answered = Object.entries(answers).map(([code, { description: about, content }]) => {
    const name = content !== undefined && 'schema' in content ? content.schema : undefined;
    const link = name === undefined ? '' : ` <a href="#${name}">${name}</a>`;
    return `<tr><td>${code}</td><td>${prose(about)}${link}</td></tr>`;
  });
  return `<details><summary><span class="method">${method.toUpperCase()}</span> <code>${text(path)}</code> ${text(summary)}</summary><div>
${description === undefined ? '' : `<p>${prose(description)}</p>`}${callers ? '' : '<p>Needs no key.</p>'}
${table(rows)}${schema === undefined ? '' : propertiesHtml(schemas[schema] ?? {})}
${table(answered)}</div></details>`;
}

function propertiesHtml({ properties = {}, required = [] }: JsonSchema): string {
  const rows = Object.entries(properties).map(([name, schema]) => {
    const needed = required.includes(name) ? ' <strong>required</strong>' : '';
    return `<tr><td><code>${text(name)}</code>${needed}</td><td>${text(typeOf(schema))}</td><td>${prose(schema.description ?? '')}</td></tr>`;
  });
  return table(rows);
}

/** A schema in a few words, e.g. `integer, 1..100`. */
function typeOf(schema: JsonSchema): string {
  if (Array.isArray(schema.enum)) return schema.enum.join(' | ');
  if ('const' in schema) return String(schema.const);
  const choices = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(choices)) return choices.map((choice: JsonSchema) => typeOf(choice)).join(' | ');
  const type =
    schema.type === 'array' ? `list of ${typeOf((schema.items ?? {}) as JsonSchema)}` : String(schema.type ?? 'any');
  const { minimum, maximum } = schema;
  const bounded = typeof minimum === 'number' && typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER;
  return bounded ? `${type}, ${minimum}..${maximum}` : type;
}

function table(rows: readonly string[]): string {
  return rows.length === 0 ? '' : `<div class="scroll"><table>${rows.join('')}</table></div>`;
}

function text(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** Text in which backticks mean code. */
function prose(value: string): string {
  return text(value).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}
