import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { InvalidCheckpointError } from '../errors/invalid-checkpoint-error.js';
import { closestBin } from '../image/resolution-bins.js';
import type { PipelineInput, PreparedInput, Size } from '../plugin/plugin.js';
import { pictureTensor } from './picture-tensor.js';
import type { ResolvedRequest } from './request.js';

/** How many pixels of the picture one latent pixel stands for on each side. */
export function compressionOf({ vae }: Checkpoint): number {
  return 2 ** (vae.config.encoder_block_out_channels.length - 1);
}

/**
 * The prepare stage: chooses the working size (a resolution bin) and brings the source to it, stretched as the reference does.
 * @throws {InvalidCheckpointError} when the working size is no multiple of what the autoencoder and the transformer compress by.
 */
export async function prepareInput(
  checkpoint: Checkpoint,
  request: ResolvedRequest,
  input: PipelineInput,
  signal: AbortSignal | undefined,
): Promise<PreparedInput> {
  const { image } = input;
  const outputSize = image === undefined ? (request.size as Size) : sizeWithin(image, request.size);
  const { sample_size, patch_size } = checkpoint.transformer.config;
  const unit = compressionOf(checkpoint) * patch_size;
  const bin = closestBin({ ...outputSize, baseSize: sample_size * compressionOf(checkpoint) });
  if (bin.width % unit !== 0 || bin.height % unit !== 0) {
    throw new InvalidCheckpointError({
      file: `${checkpoint.path}/vae/config.json`,
      expected: `a compression that divides the working size ${bin.width} x ${bin.height}`,
      received: `${unit} pixels a token`,
    });
  }
  const workingImage = image && (await pictureTensor(image, bin, signal));
  return { ...input, bin, outputSize, workingImage };
}

/** The largest size of the source's ratio inside the one asked for; the source's own when none is. */
function sizeWithin(source: Size, asked: Size | undefined): Size {
  if (asked === undefined) return { width: source.width, height: source.height };
  const scale = Math.min(asked.width / source.width, asked.height / source.height);
  return {
    width: Math.max(1, Math.round(source.width * scale)),
    height: Math.max(1, Math.round(source.height * scale)),
  };
}
