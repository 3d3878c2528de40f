// An application: opens a component in a child process and runs it, as argv says.
import { createProcessBackend, openCheckpoint } from '@vibe-edit/core';
import { exampleInputs } from '@vibe-edit/core/testing';

const { description, checkpointPath, component, close, sizes } = JSON.parse(process.argv[2]);
const checkpoint = await openCheckpoint(checkpointPath);
const backend = createProcessBackend(description);
process.on('SIGINT', () => {});
const session = await backend.open(component, checkpoint);
const inputs = exampleInputs({ component, checkpoint, ...sizes });
process.stdout.write(`pid ${backend.pid}\n`);
const outputs = await session.run(inputs);
process.stdout.write(`outputs ${Object.keys(outputs)}\n`);
if (close) await backend.close();
