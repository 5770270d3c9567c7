import { recordsConformance } from '../../conformance/records.ts';
import { type CreateStore, storeConformance } from '../../conformance/store.ts';
import { openStore } from './sqlite-store.ts';

const create: CreateStore = (options) => openStore(options);

storeConformance('SQLite', create);
recordsConformance('SQLite', create);
