/** Less than 0 when `a` comes first: as the UTF-8 bytes of the keys compare, which is how databases order them. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
