import { randomBytes } from 'node:crypto';
import { createMemoryStore } from '../../../lib/server/store/memory.ts';
import { recordsConformance } from '../../conformance/records.ts';
import { type CreateStore, storeConformance } from '../../conformance/store.ts';

const create: CreateStore = (options) =>
  createMemoryStore({ ...options, newIncarnation: () => randomBytes(8).toString('hex') });

storeConformance('memory', create);
recordsConformance('memory', create);
