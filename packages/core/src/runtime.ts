/**
 * What runs anywhere, browsers included: no Node modules, no Buffer, no native code.
 */
export type {
  Backend,
  BackendDescription,
  BackendModule,
  OpenOptions,
  RunOptions,
  Session,
} from './backend/backend.js';
export { checkInputs, type InputSpec } from './backend/check-inputs.js';
export { COMPONENTS, type Component } from './backend/component.js';
export {
  type DType,
  elementCount,
  type HostTensor,
  hostTensor,
  isHostTensor,
  type Tensor,
  type TensorData,
} from './backend/tensor.js';
export { parseAutoencoderConfig } from './checkpoint/autoencoder-config.js';
export { type CheckedConfigs, checkConfigsFit } from './checkpoint/check-configs-fit.js';
export type { Checkpoint, TokenizerFiles } from './checkpoint/checkpoint.js';
export { checkpointDefaults } from './checkpoint/checkpoint-defaults.js';
export type {
  AutoencoderBlockType,
  AutoencoderConfig,
  CheckpointDefaults,
  ImageProcessorConfig,
  SchedulerConfig,
  TextConfig,
  TextEncoderConfig,
  TransformerConfig,
  VisionConfig,
} from './checkpoint/configs.js';
export { parseImageProcessorConfig } from './checkpoint/image-processor-config.js';
export { type ModelIndex, parseModelIndex } from './checkpoint/model-index.js';
export type { OutOfScope } from './checkpoint/out-of-scope.js';
export { type JsonObject, type JsonValue, type ParseJsonOptions, parseJson } from './checkpoint/parse-json.js';
export type { Prototypes } from './checkpoint/prototypes.js';
export {
  parseSafetensorsHeader,
  SAFETENSORS_PREFIX_BYTES,
  type SafetensorsHeader,
  type SafetensorsSource,
  safetensorsHeaderLength,
} from './checkpoint/safetensors.js';
export { parseSchedulerConfig } from './checkpoint/scheduler-config.js';
export type { StateDict, TensorInfo } from './checkpoint/tensor-info.js';
export { decodeTensorValues, type TensorValues } from './checkpoint/tensor-values.js';
export { parseTextEncoderConfig } from './checkpoint/text-encoder-config.js';
export { parseTransformerConfig } from './checkpoint/transformer-config.js';
export { AbortedError, throwIfAborted } from './errors/aborted-error.js';
export { BackendError } from './errors/backend-error.js';
export { BackendUnavailableError } from './errors/backend-unavailable-error.js';
export { ClosedError } from './errors/closed-error.js';
export { DiskFullError } from './errors/disk-full-error.js';
export { DownloadError } from './errors/download-error.js';
export { HostCrashedError } from './errors/host-crashed-error.js';
export { InvalidArgumentError } from './errors/invalid-argument-error.js';
export { InvalidCheckpointError } from './errors/invalid-checkpoint-error.js';
export { InvalidImageError } from './errors/invalid-image-error.js';
export { InvalidInstructionError } from './errors/invalid-instruction-error.js';
export { QueueFullError } from './errors/queue-full-error.js';
export { VibeError } from './errors/vibe-error.js';
export { type Box, checkSideRatio, coverAndCrop, letterbox, smartResize } from './image/geometry.js';
export type {
  DecodedImage,
  EncodeOptions,
  ImageCodec,
  ImageFormat,
  ImageInput,
  SharpLike,
} from './image/image-codec.js';
export { type Composite, compositeOutsideMask, decodeMask } from './image/mask.js';
export { rasterToTensor, tensorToRaster } from './image/pixel-tensor.js';
export { prepareVisionInput, type VisionInput } from './image/qwen-image-processor.js';
export type { Raster, Raster8 } from './image/raster.js';
export { type Pixels, type ResampleMethod, type ResampleOptions, resample, resampleSync } from './image/resample.js';
export { resizeAndCrop, resizeBilinear } from './image/resample-float.js';
export { closestBin } from './image/resolution-bins.js';
export { nextTurn, runInSlices } from './image/time-slice.js';
export { createWorkQueue, type WorkQueue } from './job/work-queue.js';
export { type ChatWriter, createChatWriter } from './pipeline/conditioning/chat-text.js';
export type { ImageGrid } from './pipeline/conditioning/image-grid.js';
export {
  createPromptEncoder,
  type EncodedPrompts,
  instructionQuery,
  type PromptEncoder,
  readTokenizer,
} from './pipeline/conditioning/prompt.js';
export {
  emptyPictureFeatures,
  type TextEncoderInputs,
  textEncoderInputs,
} from './pipeline/conditioning/text-inputs.js';
export { visionEncoderInputs } from './pipeline/conditioning/vision-inputs.js';
export { type Branch, type Guidance, planGuidance } from './pipeline/guidance.js';
export {
  createPipeline,
  type Pipeline,
  type PipelineParts,
  type PipelineResult,
  type PipelineRun,
} from './pipeline/pipeline.js';
export { type ProgressEvent, STAGES, type Stage } from './pipeline/progress.js';
export type { ResolvedRequest } from './pipeline/request.js';
export type { SessionPool } from './pipeline/session-pool.js';
export type {
  Conditioning,
  FinishedPicture,
  Hook,
  PictureState,
  PipelineInput,
  PipelineStages,
  Plugin,
  PluginContext,
  PluginHooks,
  PreparedInput,
  RestoreState,
  Size,
  StepState,
  Warning,
} from './plugin/plugin.js';
export type { NoiseDType, NoiseGenerator, NoiseSource } from './random/noise-source.js';
export { torchCpuNoise } from './random/torch-cpu-noise.js';
export { createTorchCudaNoise, type TorchCudaNoiseOptions } from './random/torch-cuda-noise.js';
export type { Schedule, Scheduler, SchedulerFactory, SchedulerStep } from './scheduler/scheduler.js';
export { createScheduler, SCHEDULERS } from './scheduler/schedulers.js';
