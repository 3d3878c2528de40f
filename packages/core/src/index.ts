export { type HubRepository, hubCacheFolder, parseRepository } from './checkpoint/hub-cache.js';
export { type OpenCheckpointOptions, openCheckpoint } from './checkpoint/open-checkpoint.js';
export { type PullEvent, type PulledCheckpoint, type PullOptions, pullCheckpoint } from './checkpoint/pull.js';
export { type LoadedTensor, readSafetensorsFile, readSafetensorsHeader } from './checkpoint/safetensors-file.js';
export type { EditedImage, Editor, EditorOptions, EditRequest, EditResult, GenerateRequest } from './editor-types.js';
export { OffloadError } from './errors/offload-error.js';
export { createInlineBackend } from './host/inline-backend.js';
export { memoryLimit } from './host/memory-limit.js';
export { createProcessBackend, type ProcessBackend, type ProcessBackendOptions } from './host/process-backend.js';
export { createSessionPool, type SessionPoolOptions } from './host/session-pool.js';
export type {
  DecodedImage,
  EncodeOptions,
  ImageCodec,
  ImageFormat,
  ImageInput,
  SharpLike,
} from './image/image-codec.js';
export { createSharpCodec, type SharpCodecOptions, sharpCodec } from './image/sharp-codec.js';
export { blockOtherLoaders } from './image/sharp-module.js';
export { createOffload, type FunctionName, type Offload, type OffloadCall } from './worker/offload.js';
