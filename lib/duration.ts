const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|[smhdw])/g;

/** The milliseconds of `500ms`, `10s`, `2h`, `1h30m`, `7d`; a bare number is seconds; null for anything else. */
export function parseDuration(text: string): number | null {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Math.round(Number(text) * 1_000);
  if (!DURATION.test(text)) return null;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(PART)) total += Number(amount) * (UNIT_MS[unit as string] as number);
  return Number.isSafeInteger(Math.round(total)) ? Math.round(total) : null;
}

/** A duration for people, in its one or two largest units: `45s`, `2h`, `1d 3h`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.max(0, Math.round(durationMs))}ms`;
  const parts: string[] = [];
  let rest = Math.round(durationMs / 1_000) * 1_000;
  for (const unit of ['w', 'd', 'h', 'm', 's']) {
    const size = UNIT_MS[unit] as number;
    const amount = Math.floor(rest / size);
    if (amount > 0) parts.push(`${amount}${unit}`);
    rest -= amount * size;
  }
  return parts.slice(0, 2).join(' ');
}

/** A duration as it would be typed, in the largest unit that divides it: `90s`, `10m`, `30d`. */
export function formatExactDuration(durationMs: number): string {
  const unit = ['d', 'h', 'm', 's'].find((each) => durationMs > 0 && durationMs % (UNIT_MS[each] as number) === 0);
  return unit === undefined ? `${durationMs}ms` : `${durationMs / (UNIT_MS[unit] as number)}${unit}`;
}
