/** The parts in one piece. A single part is returned as it is, not copied. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1 && parts[0] !== undefined) return parts[0];
  const whole = new Uint8Array(totalBytes(parts));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** The parts in one piece: a single one as it is, several as a view of `out` from `start` on, where they are copied to. */
export function gatherAt(parts: readonly Uint8Array[], out: Uint8Array, start: number): Uint8Array {
  if (parts.length === 1 && parts[0] !== undefined) return parts[0];
  let end = start;
  for (const part of parts) {
    out.set(part, end);
    end += part.length;
  }
  return out.subarray(start, end);
}

/** How long the parts are together. */
export function totalBytes(parts: readonly Uint8Array[]): number {
  let total = 0;
  for (const part of parts) total += part.length;
  return total;
}

/** Bytes of ASCII text. */
export function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
