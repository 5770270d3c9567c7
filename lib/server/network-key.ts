import { join } from 'node:path';
import { BcastError } from '../errors.ts';
import type { Records } from './hub/ports.ts';

const KEY = 'fingerprint';

/**
 * Makes sure that all servers of a network are one for their clients, who know it by its key, and for each other: codes of
 * rooms are kept under that key. The first says which it is. Rejects with CONFIG when this server has another.
 */
export async function checkNetwork(records: Records, fingerprint: string, dataDir: string): Promise<void> {
  if ((await records.put('setting', KEY, fingerprint, { over: 0 })) !== null) return;
  const record = await records.get('setting', KEY);
  if (record?.value === fingerprint) return;
  const text = `The servers in that Redis go by the key ${String(record?.value).slice(0, 60)}, this one has ${fingerprint}.
Copy server_key from the data directory of one of them to ${join(dataDir, 'server_key')}; for a network of its own give it
another --redis-prefix.`;
  throw new BcastError('CONFIG', { text });
}
