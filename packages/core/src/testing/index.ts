export { type BackendConformanceOptions, backendConformance, type TestRunner } from './backend-conformance.js';
export { type BlobStoreConformanceOptions, blobStoreConformance } from './blob-store-conformance.js';
export { type ConformanceCase, type ConformanceData, loadConformanceData } from './conformance-cases.js';
export { type ExampleInputsOptions, exampleInputs } from './example-inputs.js';
export { createFakeBackend, type FakeBackend, type FakeBackendOptions, type FakeCall } from './fake-backend.js';
export { type FakeComponent, fakeComponent, type HostTensors } from './fake-components.js';
export { type JobQueueConformanceOptions, jobQueueConformance } from './job-queue-conformance.js';
export { randomValues } from './random-values.js';
