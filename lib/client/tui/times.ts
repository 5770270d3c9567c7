import { clockTime, dayName, isSameDay } from './format.ts';

/** A moment for people: the time today, else with the day. */
export function untilText(ms: number, nowMs: number): string {
  return isSameDay(ms, nowMs) ? clockTime(ms) : `${dayName(ms)}, ${clockTime(ms)}`;
}

/** The same where there is little room: `14:05` today, else `2026-11-21 14:05`. */
export function shortMoment(ms: number, nowMs: number): string {
  if (isSameDay(ms, nowMs)) return clockTime(ms);
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clockTime(ms)}`;
}

/** A count for people: `10,000`. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}
