import { clockTime, dayName, isSameDay } from './format.ts';

/** A moment for people: the time today, else with the day. */
export function untilText(ms: number, nowMs: number): string {
  return isSameDay(ms, nowMs) ? clockTime(ms) : `${dayName(ms)}, ${clockTime(ms)}`;
}
