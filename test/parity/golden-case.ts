/** `runs.json` of a case. */
export interface GoldenCase {
  readonly case: string;
  /** Folder of the checkpoint, relative to the case; default `checkpoint`. */
  readonly checkpoint?: string;
  readonly checkpoint_bytes?: number;
  readonly versions?: unknown;
  readonly runs: readonly GoldenRun[];
  readonly seq_cat?: { readonly t2i: GoldenRun; readonly edit?: unknown; readonly note?: string };
  readonly image_processor?: { readonly pictures: Readonly<Record<string, { readonly grid: readonly number[] }>> };
}

/** One call of the reference's pipeline. */
export interface GoldenRun {
  readonly name: string;
  readonly picture?: string;
  readonly prompt: string | readonly string[];
  readonly steps: number;
  readonly guidance_scale: number;
  readonly image_guidance_scale: number;
  readonly seed: number;
  readonly num_images_per_prompt?: number;
  readonly height?: number;
  readonly width?: number;
  readonly editor?: boolean;
  readonly dtype?: string;
  readonly latents_shape: readonly number[];
  readonly decoded_shape: readonly number[];
  readonly branches: number;
  readonly chat_text: readonly (string | readonly string[])[];
  readonly decoded_mean: number;
  readonly decoded_std: number;
  readonly final_latents_std: number;
  readonly bin?: readonly [number, number];
  readonly editor_crop?: readonly number[];
  readonly files?: readonly string[];
}

/** `noise-floor.json`: run -> comparison -> tensor -> largest difference. */
export type NoiseFloor = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, number>>>>>>;

/** Whether a run is judged. In bfloat16 only noise and whole numbers are: the rest shows the drift. */
export function isJudged({ name, dtype = 'float32' }: GoldenRun): boolean {
  return dtype === 'float32' && !name.endsWith('-bfloat16');
}

/**
 * How far float64 moves a tensor of a run; 0 where that was not measured. A run of which only the last step was measured has that step's
 * noise for all, and the decoder's input is the last step's latents.
 */
export function float64Noise(floor: NoiseFloor | undefined, run: string, tensor: string): number {
  const rows = floor?.[run] ?? {};
  const row = Object.entries(rows).find(([name]) => name.includes('float64'))?.[1] ?? {};
  const step = tensor === 'decoder_input' ? '' : /^step\.(\d+)\./.exec(tensor)?.[1];
  if (step === undefined) return row[NOISE_NAME[tensor] ?? tensor] ?? 0;
  const measured = Object.keys(row).filter((name) => /^step\.\d+\.(branches|latents)$/.test(name));
  const own = measured.filter((name) => name.startsWith(`step.${step}.`));
  const last = measured.filter((name) => stepOf(name) === Math.max(...measured.map(stepOf)));
  return Math.max(0, ...(own.length > 0 ? own : last).map((name) => row[name] ?? 0));
}

function stepOf(name: string): number {
  return Number(name.split('.')[1]);
}

/** Tensors that share a row with another one. */
const NOISE_NAME: Readonly<Record<string, string>> = {
  source_latents: 'encoder_output',
  branch_prompt_embeds: 'prompt_embeds',
  decoded_corner: 'decoded',
};
