import { createSharpCodec, type ImageFormat } from '@vibe-edit/core';
import type {
  Checkpoint,
  FinishedPicture,
  PluginContext,
  Raster8,
  ResolvedRequest,
  Warning,
} from '@vibe-edit/core/runtime';
import { type ProvenanceOptions, provenance, VIBE_NAMESPACE } from '@vibe-edit/plugins/provenance';
import fc from 'fast-check';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { REQUEST } from './restore.js';

const HASH = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const picture: Raster8 = { width: 2, height: 2, channels: 3, data: new Uint8Array(12).fill(90) };

interface Stamped {
  readonly finished: FinishedPicture;
  readonly warnings: readonly Warning[];
}

function stamp(
  request: Partial<ResolvedRequest> = {},
  { options, index = 0, xmp }: { options?: ProvenanceOptions; index?: number; xmp?: string } = {},
): Stamped {
  const warnings: Warning[] = [];
  const unused = (): never => {
    throw new Error('the plugin has no business with the stages');
  };
  const context: PluginContext = {
    request: { ...REQUEST, ...request },
    checkpoint: { hash: HASH } as Checkpoint,
    source: undefined,
    sourceLatents: undefined,
    signal: undefined,
    store: new Map(),
    warn: (warning) => warnings.push(warning),
    stages: { encode: unused, decode: unused, condition: unused, toTensor: unused },
  };
  const finished: FinishedPicture = { index, picture, text: { Author: 'me' }, xmp };
  provenance(options).hooks.afterRestore?.(finished, context);
  return { finished, warnings };
}

type Node = Record<string, unknown>;

/** Properties of all descriptions of a packet, by namespace and name: `{namespace}name`. */
function readXmp(packet: string): Map<string, string> {
  expect(XMLValidator.validate(packet)).toBe(true);
  const parser = new XMLParser({
    ignoreAttributes: false,
    parseTagValue: false,
    parseAttributeValue: false,
    trimValues: false,
    htmlEntities: true,
  });
  const meta = parser.parse(packet)['x:xmpmeta'] as Node;
  const found = new Map<string, string>();
  for (const description of [(meta['rdf:RDF'] as Node)['rdf:Description']].flat() as Node[]) {
    expect(description['@_rdf:about']).toBe('');
    for (const [name, value] of Object.entries(description)) {
      const [prefix, local] = name.split(':') as [string, string | undefined];
      if (name.startsWith('@_') || local === undefined) continue;
      const text = typeof value === 'string' ? value : languageAlternative(value as Node);
      found.set(`{${description[`@_xmlns:${prefix}`]}}${local}`, text);
    }
  }
  return found;
}

function languageAlternative(value: Node): string {
  const item = (value['rdf:Alt'] as Node)['rdf:li'] as Node;
  expect(item['@_xml:lang']).toBe('x-default');
  return String(item['#text']);
}

/** Whether XML 1.0 has the character. */
function isXml(code: number): boolean {
  if (code < 0x20) return [0x09, 0x0a, 0x0d].includes(code);
  return !(code >= 0xd800 && code <= 0xdfff) && code !== 0xfffe && code !== 0xffff;
}

const DC = '{http://purl.org/dc/elements/1.1/}';
const XMP = '{http://ns.adobe.com/xap/1.0/}';
const IPTC = '{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}';
const VIBE = `{${VIBE_NAMESPACE}}`;

describe('provenance', () => {
  it('says how an edit was made', () => {
    const { finished } = stamp({ seed: 7, guidanceScale: 4.5, imageGuidanceScale: 1.2, numInferenceSteps: 20 });
    const facts = {
      task: 'edit',
      seed: '7',
      numInferenceSteps: '20',
      guidanceScale: '4.5',
      imageGuidanceScale: '1.2',
      picture: '0',
      checkpoint: HASH,
    };
    const named = Object.entries(facts).map(([name, value]) => [`vibe-edit:${name}`, value]);
    expect(finished.text).toEqual({
      Author: 'me',
      Software: expect.stringMatching(/^vibe-edit \d+\.\d+\.\d+/),
      'vibe-edit:instruction': 'make it warmer',
      ...Object.fromEntries(named),
    });
    expect(Object.fromEntries(readXmp(finished.xmp!))).toEqual({
      [`${XMP}CreatorTool`]: finished.text.Software,
      [`${DC}description`]: 'make it warmer',
      [`${IPTC}DigitalSourceType`]:
        'http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia',
      [`${IPTC}AISystemUsed`]: 'VIBE',
      [`${IPTC}AISystemVersionUsed`]: `checkpoint sha256:${HASH}`,
      [`${IPTC}AIPromptInformation`]: 'make it warmer',
      ...Object.fromEntries(Object.entries(facts).map(([name, value]) => [VIBE + name, value])),
    });
  });

  it('says that a picture was made from nothing', () => {
    const { finished } = stamp({ task: 'generate', instructions: ['a cat'] });
    const properties = readXmp(finished.xmp!);
    expect(properties.get(`${IPTC}DigitalSourceType`)).toBe(
      'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia',
    );
    expect(properties.has(`${VIBE}imageGuidanceScale`)).toBe(false);
    expect(finished.text).not.toHaveProperty('vibe-edit:imageGuidanceScale');
  });

  it('gives every picture the instruction it follows', () => {
    const request = { instructions: ['warmer', 'cooler'], numImages: 2 };
    const instructions = [0, 1, 2, 3].map((index) => stamp(request, { index }).finished.text['vibe-edit:instruction']);
    expect(instructions).toEqual(['warmer', 'warmer', 'cooler', 'cooler']);
    expect(readXmp(stamp(request, { index: 3 }).finished.xmp!).get(`${VIBE}picture`)).toBe('3');
  });

  it('leaves the instruction out, and names other software, when told so', () => {
    const { finished } = stamp(
      { instructions: ['secret'] },
      { options: { instruction: false, software: 'Studio & Co 2' } },
    );
    expect(finished.xmp).not.toContain('secret');
    expect(JSON.stringify(finished.text)).not.toContain('secret');
    expect(finished.text.Software).toBe('Studio & Co 2');
    expect(readXmp(finished.xmp!).get(`${XMP}CreatorTool`)).toBe('Studio & Co 2');
  });

  it.each([
    ['markup', '</rdf:li><script>&amp; "x" \'y\' ]]> <?xpacket end="r"?>'],
    ['other scripts', 'делай теплее · 暖かくして · اجعلها أدفأ · 🌅👩‍👩‍👧'],
    ['lines and tabs', 'a\tb\nc\r\nd'],
    ['blanks at the ends', '  warm  '],
  ])('brings back %s', (_, instruction) => {
    const { finished } = stamp({ instructions: [instruction] });
    expect(readXmp(finished.xmp!).get(`${IPTC}AIPromptInformation`)).toBe(instruction);
    expect(finished.text['vibe-edit:instruction']).toBe(instruction);
  });

  it('replaces what neither XML nor PNG text can hold', () => {
    const { finished } = stamp({ instructions: ['a\0b\u0007c\uD800d\uFFFEe'] });
    expect(readXmp(finished.xmp!).get(`${DC}description`)).toBe('a�b�c�d�e');
    expect(finished.text['vibe-edit:instruction']).not.toContain('\0');
  });

  it('is well-formed whatever the instruction', () => {
    // Single surrogates and control characters among them.
    const codes = fc.oneof(fc.integer({ min: 0, max: 0x7f }), fc.integer({ min: 0, max: 0x10ffff }));
    const instructions = fc.array(codes, { maxLength: 100 }).map((points) => String.fromCodePoint(...points));
    fc.assert(
      fc.property(instructions, (instruction) => {
        const { finished } = stamp({ instructions: [instruction] });
        const allowed = [...instruction].map((character) => (isXml(character.codePointAt(0)!) ? character : '\uFFFD'));
        expect(readXmp(finished.xmp!).get(`${IPTC}AIPromptInformation`) ?? '').toBe(allowed.join(''));
      }),
      { numRuns: 100 },
    );
  });

  it('cuts a very long instruction in XMP, so that a JPEG can hold it', async () => {
    const instruction = `${'<&é暖🌅'.repeat(9000)}`;
    const { finished } = stamp({ instructions: [instruction] });
    const kept = readXmp(finished.xmp!).get(`${IPTC}AIPromptInformation`)!;
    expect(kept.length).toBeGreaterThan(4000);
    expect(instruction.startsWith(kept.slice(0, -1))).toBe(true);
    expect(kept.endsWith('…')).toBe(true);
    expect(finished.text['vibe-edit:instruction']).toBe(instruction);
    await expect(createSharpCodec().encode(picture, 'jpeg', { xmp: finished.xmp! })).resolves.toBeInstanceOf(
      Uint8Array,
    );
  });

  it('adds to the packet of another plugin', () => {
    const other = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
      <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:my="urn:my#">
        <my:note>n</my:note><xmp:CreatorTool>Studio</xmp:CreatorTool>
      </rdf:Description></rdf:RDF></x:xmpmeta>`;
    const { finished, warnings } = stamp({ seed: 5 }, { xmp: other });
    const properties = readXmp(finished.xmp!);
    expect(properties.get('{urn:my#}note')).toBe('n');
    expect(properties.get(`${VIBE}seed`)).toBe('5');
    expect(properties.get(`${XMP}CreatorTool`)).toBe('Studio');
    // XMP has no property twice.
    expect(finished.xmp!.match(/<xmp:CreatorTool>/g)).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  it('leaves alone what is no packet, and says so', () => {
    const { finished, warnings } = stamp({}, { xmp: 'something else' });
    expect(finished.xmp).toBe('something else');
    expect(warnings).toMatchObject([{ code: 'provenance-xmp' }]);
    expect(finished.text['vibe-edit:seed']).toBe('42');
  });

  it.each(['png', 'jpeg', 'webp', 'avif'] as const)('is in the file: %s', async (format: ImageFormat) => {
    const instruction = 'тёплее & "wärmer" 暖';
    const { finished } = stamp({ instructions: [instruction], seed: 4294967295 });
    const file = await createSharpCodec().encode(picture, format, { xmp: finished.xmp!, text: finished.text });
    const metadata = await sharp(file).metadata();
    const properties = readXmp(metadata.xmpAsString!.replace(/^\uFEFF/, ''));
    expect(properties.get(`${DC}description`)).toBe(instruction);
    expect(properties.get(`${VIBE}seed`)).toBe('4294967295');
    expect(properties.get(`${VIBE}checkpoint`)).toBe(HASH);
    if (format !== 'png') return;
    const comments = Object.fromEntries(
      metadata.comments!.map(({ keyword, text }) => [keyword.replace(/^png-comment-\d+-/, ''), text]),
    );
    expect(comments).toMatchObject({ 'vibe-edit:seed': '4294967295', 'vibe-edit:instruction': instruction });
  });
});
