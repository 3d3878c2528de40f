import type { EditSettings } from './edit-settings.js';

/** One edit of a chain. */
export interface SampleStep {
  readonly instruction: string;
  readonly settings: EditSettings;
}

export interface SampleOptions {
  /** From the opened picture to the result. */
  readonly steps: readonly SampleStep[];
  /** Name of the opened picture's file. */
  readonly file: string;
  /** Where the page and its API are. */
  readonly base: string;
  /** Whether the API wants a key. */
  readonly withKey: boolean;
  /** `OWNER/REPO` where the server does not run the embedded checkpoint. */
  readonly checkpoint: string | undefined;
}

/** The same edits from TypeScript. */
export function sdkSample({ steps, file, checkpoint }: SampleOptions): string {
  const lines = steps.map(({ instruction, settings }, index) => {
    const image = index === 0 ? quote(file) : `await result${index}.image.toBuffer()`;
    const fields = [
      `image: ${image}`,
      `instruction: ${quote(instruction)}`,
      ...named(settings, {
        seed: 'seed',
        steps: 'numInferenceSteps',
        guidanceScale: 'guidanceScale',
        imageGuidanceScale: 'imageGuidanceScale',
        preserve: 'preserve',
      }).map(([name, value]) => `${name}: ${typeof value === 'string' ? quote(value) : value}`),
    ];
    return `const result${index + 1} = await editor.edit({\n${fields.map((field) => `  ${field},\n`).join('')}});`;
  });
  return [
    "import { createEditor } from 'vibe-edit';",
    '',
    `const editor = await createEditor(${checkpoint === undefined ? '' : `{ checkpoint: ${quote(checkpoint)} }`});`,
    ...lines,
    `await result${steps.length}.image.toFile('edited.png');`,
    'await editor.close();',
  ].join('\n');
}

/** The same edits over HTTP, by the API that answers when the edit is done. */
export function curlSample({ steps, file, base, withKey }: SampleOptions): string {
  return steps
    .map(({ instruction, settings }, index) => {
      const fields = [
        `image=@${curlFile(inputName(file, index))}`,
        `prompt=${instruction}`,
        ...named(settings, {
          seed: 'seed',
          steps: 'steps',
          guidanceScale: 'guidance_scale',
          imageGuidanceScale: 'image_guidance_scale',
          preserve: 'preserve',
        }).map(([name, value]) => `${name}=${value}`),
      ];
      const lines = [
        `curl -sS --fail-with-body ${shellQuote(new URL('v1/images/edits', base).href)}`,
        ...(withKey ? ['-H "Authorization: Bearer $VIBE_EDIT_API_KEY"'] : []),
        ...fields.map((field, position) => `${position === 0 ? '-F' : '--form-string'} ${shellQuote(field)}`),
      ];
      return `${lines.join(' \\\n  ')} \\\n  | jq -r '.data[0].b64_json' | base64 -d > ${outputName(index, steps.length)}`;
    })
    .join('\n');
}

/** The same edits on the command line. */
export function cliSample({ steps, file, checkpoint }: SampleOptions): string {
  return steps
    .map(({ instruction, settings }, index) => {
      const flags = named(settings, {
        seed: '--seed',
        steps: '--steps',
        guidanceScale: '--guidance-scale',
        imageGuidanceScale: '--image-guidance-scale',
        preserve: '--preserve',
      }).map(([name, value]) => `${name} ${value}`);
      return [
        `npx vibe-edit edit ${shellQuote(inputName(file, index))}`,
        `--instruction ${shellQuote(instruction)}`,
        ...flags,
        ...(checkpoint === undefined ? [] : [`--checkpoint ${shellQuote(checkpoint)}`]),
        `-o ${outputName(index, steps.length)}`,
      ].join(' ');
    })
    .join('\n');
}

function named<Name extends keyof EditSettings>(
  settings: EditSettings,
  names: Readonly<Record<Name, string>>,
): [string, number | string][] {
  return Object.entries(names).flatMap(([key, name]) => {
    const value = settings[key as Name];
    return value === undefined ? [] : [[name as string, value] as [string, number | string]];
  });
}

/** Name of a file that no program takes for an option. */
function inputName(file: string, index: number): string {
  const name = file.startsWith('-') ? `./${file}` : file;
  return index === 0 ? name : `step-${index}.png`;
}

/** A file's name as curl reads it behind `@`, where `;` and `,` would end it. */
function curlFile(name: string): string {
  return /[;,"]/.test(name) ? `"${name.replaceAll(/["\\]/g, '\\$&')}"` : name;
}

function outputName(index: number, count: number): string {
  return index === count - 1 ? 'edited.png' : `step-${index + 1}.png`;
}

/** A string of TypeScript. */
function quote(text: string): string {
  const escaped = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${escaped}'`;
}

/** One word for a POSIX shell, whatever is in it. */
function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
