export { createFakeBackend, type FakeBackend, type FakeBackendOptions, type FakeCall } from './fake-backend.js';
