import type { RecordKind, Records } from './ports.ts';

/**
 * Changes the list of texts that a record is, however many change it at the same time; an empty one is no record.
 * `change` may be called again on what another has made of it meanwhile; what it throws ends the attempt.
 */
export async function changeList(
  records: Records,
  kind: RecordKind,
  key: string,
  change: (list: readonly string[]) => readonly string[],
): Promise<void> {
  for (;;) {
    const record = await records.get(kind, key);
    const list = change(textsOf(record?.value));
    const over = record?.version ?? 0;
    if (list.length > 0 && (await records.put(kind, key, list, { over })) !== null) return;
    if (list.length === 0 && (over === 0 || (await records.remove(kind, key, over)))) return;
  }
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : [];
}
