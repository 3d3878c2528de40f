import { createEditor, type Editor, hostTensor, type Plugin, preserve } from 'vibe-edit';
import { applyAll, type Operation } from './operations.ts';
import { fromPixels, type Picture } from './picture.ts';
import type { Source } from './pictures.ts';

/** Targets brought through the autoencoder and the preservation step in one run. */
const BATCH = 8;
/** Any instruction that a checkpoint knows: what it makes of it is thrown away. */
const INSTRUCTION = 'make it warmer';

/** What the best possible transformer would give: the exact result at working size, through everything that comes after it. */
export interface Oracle {
  /** One picture for each list of operations. */
  results(source: Source, wanted: readonly (readonly Operation[])[]): Promise<Picture[]>;
  close(): Promise<void>;
}

export async function createOracle(checkpoint: string | undefined): Promise<Oracle> {
  let wanted: readonly (readonly Operation[])[] = [];
  const exact: Plugin = {
    name: 'exact-target',
    hooks: {
      beforeCondition: (prepared, { store }) => void store.set(exact, prepared.workingImage),
      beforeDecode: async (state, { store, stages }) => {
        const { shape, values } = store.get(exact) as ReturnType<typeof hostTensor<'float32'>>;
        const [, , height, width] = shape as readonly [number, number, number, number];
        const working = { width, height, values: values.map((value) => value / 2 + 0.5) };
        const target = applyAll(wanted[state.index] as readonly Operation[], working);
        const image = hostTensor(
          'float32',
          shape,
          target.values.map((value) => value * 2 - 1),
        );
        return { index: state.index, value: await stages.encode(image) };
      },
    },
  };
  const editor: Editor = await createEditor({ ...(checkpoint && { checkpoint }), plugins: [exact, preserve()] });
  return {
    async results(source, operations) {
      const pictures: Picture[] = [];
      for (let start = 0; start < operations.length; start += BATCH) {
        wanted = operations.slice(start, start + BATCH);
        const { images } = await editor.edit({
          image: source.file,
          instruction: wanted.map(() => INSTRUCTION),
          numInferenceSteps: 1,
          guidanceScale: 1,
          imageGuidanceScale: 1,
        });
        pictures.push(...images.map(({ raster }) => fromPixels(raster)));
      }
      return pictures;
    },
    close: () => editor.close(),
  };
}
