import { randomBytes } from 'node:crypto';
import { createMemoryStore } from '../../../lib/server/store/memory.ts';
import { storeConformance } from '../../conformance/store.ts';

storeConformance('memory', ({ keepMessages }) =>
  createMemoryStore({ keepMessages, newIncarnation: () => randomBytes(8).toString('hex') }),
);
