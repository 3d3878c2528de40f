import type { FinishedPicture, Plugin, PluginContext } from '@vibe-edit/core/runtime';
import { VERSION } from './version.js';
import { fitEscaped } from './xml.js';
import { extendXmpPacket, type XmpProperty, xmpPacket } from './xmp-packet.js';

export { VIBE_NAMESPACE } from './xmp-packet.js';

export interface ProvenanceOptions {
  /** Name and version of the software, as `xmp:CreatorTool` and as the PNG entry `Software`. Default `vibe-edit` and its version. */
  software?: string;
  /** Write the instruction, which may be private, too. Default true. */
  instruction?: boolean;
}

/** Terms of the IPTC's vocabulary of digital source types. */
const SOURCE_TYPES = {
  edit: 'http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia',
  generate: 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia',
} as const;

/** An instruction in XMP takes at most so many bytes, twice: a JPEG has room for a packet of 60,000. */
const MOST_INSTRUCTION_BYTES = 24_000;

/**
 * Writes into every picture's file how it was made.
 *
 * PNG text entries: `Software`, and `vibe-edit:task`, `:instruction`, `:seed`, `:numInferenceSteps`, `:guidanceScale`,
 * `:imageGuidanceScale`, `:picture` (its number among those of the edit, from 0) and `:checkpoint` (sha256, hex).
 *
 * XMP, for every format: `xmp:CreatorTool`; `dc:description`; `Iptc4xmpExt:DigitalSourceType` (an edit is a
 * `compositeWithTrainedAlgorithmicMedia`, text-to-image `trainedAlgorithmicMedia`), `AISystemUsed`, `AISystemVersionUsed` and
 * `AIPromptInformation`; and the parameters in the namespace `VIBE_NAMESPACE`. Instructions over 24,000 bytes are cut there, not in the
 * PNG entries. A packet that another plugin made is
 * extended by what it does not say yet.
 *
 * No dates: the same edit gives the same file.
 *
 * @example
 * ```ts
 * import { createEditor, inTurn, preserve, provenance } from 'vibe-edit';
 *
 * const editor = await createEditor({ plugins: [preserve(), inTurn(), provenance({ instruction: false })] });
 * const { image } = await editor.edit({ image: 'photo.jpg', instruction: 'make it warmer', seed: 7 });
 * await image.toFile('warmer.png'); // carries the seed, the parameters and the checkpoint's hash
 * ```
 */
export function provenance(options: ProvenanceOptions = {}): Plugin {
  const { software = `vibe-edit ${VERSION}`, instruction: withInstruction = true } = options;
  return {
    name: 'provenance',
    hooks: {
      afterRestore(finished, context) {
        const facts = parameters(finished, context);
        const instruction = withInstruction ? instructionOf(finished, context) : undefined;
        finished.text = { ...finished.text, ...textEntries(software, facts, instruction) };
        const properties = xmpProperties(context, software, facts, instruction);
        const packet = finished.xmp === undefined ? xmpPacket(properties) : extendXmpPacket(finished.xmp, properties);
        if (packet !== undefined) finished.xmp = packet;
        else {
          context.warn({
            code: 'provenance-xmp',
            message:
              'The XMP of an earlier plugin is no XMP packet: it was left as it is, and says nothing of this edit',
          });
        }
      },
    },
  };
}

function instructionOf({ index }: FinishedPicture, { request }: PluginContext): string {
  return request.instructions[Math.floor(index / request.numImages)] ?? '';
}

/** What it takes to make the picture again, apart from the instruction. */
function parameters({ index }: FinishedPicture, { request, checkpoint }: PluginContext): Record<string, string> {
  const { task, seed, numInferenceSteps, guidanceScale, imageGuidanceScale } = request;
  return {
    task,
    seed: String(seed),
    numInferenceSteps: String(numInferenceSteps),
    guidanceScale: String(guidanceScale),
    ...(task === 'edit' && { imageGuidanceScale: String(imageGuidanceScale) }),
    picture: String(index),
    checkpoint: checkpoint.hash,
  };
}

function textEntries(
  software: string,
  facts: Record<string, string>,
  instruction: string | undefined,
): Record<string, string> {
  const entries = { ...facts, ...(instruction !== undefined && { instruction }) };
  // PNG text ends at a NUL.
  const named = Object.entries(entries).map(([name, value]) => [`vibe-edit:${name}`, value.replaceAll('\0', '\uFFFD')]);
  return { Software: software, ...Object.fromEntries(named) };
}

function xmpProperties(
  { request, checkpoint }: PluginContext,
  software: string,
  facts: Record<string, string>,
  instruction: string | undefined,
): XmpProperty[] {
  const prompt = instruction === undefined ? undefined : fitEscaped(instruction, MOST_INSTRUCTION_BYTES);
  const properties: XmpProperty[] = [
    { name: 'xmp:CreatorTool', value: software },
    { name: 'Iptc4xmpExt:DigitalSourceType', value: SOURCE_TYPES[request.task] },
    { name: 'Iptc4xmpExt:AISystemUsed', value: 'VIBE' },
    { name: 'Iptc4xmpExt:AISystemVersionUsed', value: `checkpoint sha256:${checkpoint.hash}` },
  ];
  if (prompt !== undefined) {
    properties.push({ name: 'Iptc4xmpExt:AIPromptInformation', value: prompt });
    properties.push({ name: 'dc:description', value: prompt, alternative: true });
  }
  for (const [name, value] of Object.entries(facts)) properties.push({ name: `vibe:${name}`, value });
  return properties;
}
