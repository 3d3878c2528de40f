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
export { type JsonObject, type JsonValue, type ParseJsonOptions, parseJson } from './checkpoint/parse-json.js';
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
export type { Raster, Raster8 } from './image/raster.js';
export { type ProgressEvent, STAGES, type Stage } from './pipeline/progress.js';
export type { ResolvedRequest } from './pipeline/request.js';
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
