export { type HubRepository, hubCacheFolder, parseRepository } from './checkpoint/hub-cache.js';
export { type OpenCheckpointOptions, openCheckpoint } from './checkpoint/open-checkpoint.js';
export { type PullEvent, type PulledCheckpoint, type PullOptions, pullCheckpoint } from './checkpoint/pull.js';
export { type LoadedTensor, readSafetensorsFile, readSafetensorsHeader } from './checkpoint/safetensors-file.js';
export { createContainer } from './container.js';
export { formatOfPath } from './edited-image.js';
export { createEditor } from './editor.js';
export type { EditedImage, Editor, EditorOptions, EditRequest, EditResult, GenerateRequest } from './editor-types.js';
export { BlobMissingError } from './errors/blob-missing-error.js';
export { BlobTooLargeError } from './errors/blob-too-large-error.js';
export { IdempotencyConflictError } from './errors/idempotency-conflict-error.js';
export { JobLostError } from './errors/job-lost-error.js';
export { JobTimeoutError } from './errors/job-timeout-error.js';
export { MissingPackageError } from './errors/missing-package-error.js';
export { OffloadError } from './errors/offload-error.js';
export { QueueUnavailableError } from './errors/queue-unavailable-error.js';
export { UnknownJobError } from './errors/unknown-job-error.js';
export { UserLimitError } from './errors/user-limit-error.js';
export { componentBytes } from './host/component-memory.js';
export { createInlineBackend } from './host/inline-backend.js';
export { memoryLimit } from './host/memory-limit.js';
export { createProcessBackend, type ProcessBackend, type ProcessBackendOptions } from './host/process-backend.js';
export { createSessionPool, type SessionPoolOptions } from './host/session-pool.js';
export { type ImageInfo, readImageInfo } from './image/image-info.js';
export { createSharpCodec, type SharpCodecOptions, sharpCodec } from './image/sharp-codec.js';
export { blockOtherLoaders } from './image/sharp-module.js';
export { blobKeyOf } from './job/blob-key.js';
export type { BlobReference, BlobStore, PictureReference, PutBlobOptions } from './job/blob-store.js';
export { boundedChunks, DEFAULT_MAX_BLOB_BYTES } from './job/bounded-chunks.js';
export { createJobQueue } from './job/create-job-queue.js';
export { createFolderBlobStore, type FolderBlobStoreOptions } from './job/folder-blob-store.js';
export {
  type FinalJobState,
  isFinalState,
  JOB_STATES,
  type Job,
  type JobFailure,
  type JobImage,
  type JobProgress,
  type JobRequest,
  type JobResult,
  type JobSettings,
  type JobState,
} from './job/job.js';
export type {
  JobEvent,
  JobFinishedEvent,
  JobPositionEvent,
  JobPreviewEvent,
  JobProgressEvent,
  JobQueuedEvent,
  JobRunningEvent,
} from './job/job-event.js';
export type {
  CloseJobsOptions,
  FollowOptions,
  JobDelivery,
  JobHandler,
  JobQueue,
  JobRun,
  JobStats,
  JobWorker,
  ListJobsOptions,
  TakeDeliveryOptions,
  WorkOptions,
} from './job/job-queue.js';
export type { JobQueueOptions } from './job/job-queue-options.js';
export {
  type InsertedJob,
  type JobOutcome,
  type JobRecord,
  type JobStore,
  type Lease,
  type LeaseState,
  type MaintainOptions,
  movingMean,
  type NewJob,
  type NewProgress,
  type QueueLoad,
  type ReleaseOptions,
  type StoreChange,
  type Timing,
  type WorkerInfo,
} from './job/job-store.js';
export { createMemoryBlobStore } from './job/memory-blob-store.js';
export { createMemoryQueue, type MemoryQueueOptions } from './job/memory-queue.js';
export { createMemorySharedState } from './job/memory-shared-state.js';
export { type RunJobsOptions, runJobs } from './job/run-jobs.js';
export type { SharedState, TokenBucket } from './job/shared-state.js';
export { waitForJob } from './job/wait-for-job.js';
export type {
  AutoencoderBlockType,
  AutoencoderConfig,
  Backend,
  BackendDescription,
  BackendModule,
  Box,
  Branch,
  ChatWriter,
  CheckedConfigs,
  Checkpoint,
  CheckpointDefaults,
  Component,
  Composite,
  Conditioning,
  DecodedImage,
  DType,
  EncodedPrompts,
  EncodeOptions,
  FinishedPicture,
  Guidance,
  Hook,
  HostTensor,
  ImageCodec,
  ImageFormat,
  ImageGrid,
  ImageInput,
  ImageProcessorConfig,
  InputSpec,
  JsonObject,
  JsonValue,
  ModelIndex,
  NoiseDType,
  NoiseGenerator,
  NoiseSource,
  OpenOptions,
  ParseJsonOptions,
  PictureState,
  Pipeline,
  PipelineInput,
  PipelineParts,
  PipelineResult,
  PipelineRun,
  PipelineStages,
  Pixels,
  Plugin,
  PluginContext,
  PluginHooks,
  PreparedInput,
  ProgressEvent,
  PromptEncoder,
  Prototypes,
  Raster,
  Raster8,
  ResampleMethod,
  ResampleOptions,
  ResolvedRequest,
  RestoreState,
  RunOptions,
  SafetensorsHeader,
  SafetensorsSource,
  Schedule,
  Scheduler,
  SchedulerConfig,
  SchedulerFactory,
  SchedulerStep,
  Session,
  SessionPool,
  SharpLike,
  Size,
  Stage,
  StateDict,
  StepState,
  Tensor,
  TensorData,
  TensorInfo,
  TensorValues,
  TextConfig,
  TextEncoderConfig,
  TextEncoderInputs,
  TokenizerFiles,
  TorchCudaNoiseOptions,
  TransformerConfig,
  VisionConfig,
  VisionInput,
  Warning,
  WorkQueue,
} from './runtime.js';
export {
  AbortedError,
  BackendError,
  BackendUnavailableError,
  ClosedError,
  COMPONENTS,
  checkConfigsFit,
  checkInputs,
  checkpointDefaults,
  checkSideRatio,
  closestBin,
  compositeOutsideMask,
  coverAndCrop,
  createChatWriter,
  createPipeline,
  createPromptEncoder,
  createScheduler,
  createTorchCudaNoise,
  createWorkQueue,
  DiskFullError,
  DownloadError,
  decodeMask,
  decodeTensorValues,
  elementCount,
  emptyPictureFeatures,
  HostCrashedError,
  hostTensor,
  InvalidArgumentError,
  InvalidCheckpointError,
  InvalidImageError,
  InvalidInstructionError,
  instructionQuery,
  isHostTensor,
  letterbox,
  parseAutoencoderConfig,
  parseImageProcessorConfig,
  parseJson,
  parseModelIndex,
  parseSafetensorsHeader,
  parseSchedulerConfig,
  parseTextEncoderConfig,
  parseTransformerConfig,
  planGuidance,
  prepareVisionInput,
  QueueFullError,
  rasterToTensor,
  readTokenizer,
  resample,
  resampleSync,
  resizeAndCrop,
  resizeBilinear,
  SAFETENSORS_PREFIX_BYTES,
  SCHEDULERS,
  STAGES,
  safetensorsHeaderLength,
  smartResize,
  tensorToRaster,
  textEncoderInputs,
  throwIfAborted,
  torchCpuNoise,
  VibeError,
  visionEncoderInputs,
} from './runtime.js';
export { TOKENS } from './tokens.js';
export { createOffload, type FunctionName, type Offload, type OffloadCall } from './worker/offload.js';
