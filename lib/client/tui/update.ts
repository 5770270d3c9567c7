import type { Effect, TuiEvent } from './effect.ts';
import { withSeen } from './seen.ts';
import type { State } from './state.ts';
import { onAnswered, onSaid, onSaying, onUnsaid } from './update-answers.ts';
import { onClientEvent } from './update-client.ts';
import { onKey, onPaste, onText } from './update-keys.ts';

/**
 * What the program does, whole: the state after the event, and what is to be done about it. Total (every event is valid in
 * every state) and pure: no clock, no terminal, no network; they come in as events and go out as effects.
 */
export function update(state: State, event: TuiEvent): readonly [State, readonly Effect[]] {
  if (state.outcome !== null) return [state, []];
  return withSeen(after(state, event));
}

function after(state: State, event: TuiEvent): readonly [State, readonly Effect[]] {
  switch (event.type) {
    case 'text':
      return onText(state, event.text);
    case 'key':
      return onKey(state, event.name);
    case 'paste':
      return onPaste(state, event.text);
    case 'client':
      return onClientEvent(state, event.event);
    case 'resize':
      return [{ ...state, columns: event.columns, rows: event.rows }, []];
    case 'tick':
      return [onTick(state, event.nowMs), []];
    case 'saying':
      return [onSaying(state, event.ticket, event.id), []];
    case 'said':
      return [onSaid(state, event.ticket, event.ts), []];
    case 'unsaid':
      return [onUnsaid(state, event.ticket, event.error), []];
    case 'answered':
      return onAnswered(state, event.ask, event.window, event.answer);
    default:
      return event satisfies never;
  }
}

/** Whether something on the screen depends on the time, so that ticks must come. */
export function countsDown(state: State): boolean {
  return (
    state.link.state === 'offline' ||
    state.quitArmedUntilMs > 0 ||
    state.slowUntilMs > state.nowMs ||
    state.storageOutUntilMs > state.nowMs ||
    state.windows.some(({ typing, pending }) => typing.length > 0 || pending.length > 0)
  );
}

/** Time passes: what was only for a while is over. */
function onTick(state: State, nowMs: number): State {
  const windows = state.windows.some(({ typing }) => typing.some(({ untilMs }) => untilMs <= nowMs))
    ? state.windows.map((window) => ({ ...window, typing: window.typing.filter(({ untilMs }) => untilMs > nowMs) }))
    : state.windows;
  const quitArmedUntilMs = state.quitArmedUntilMs > nowMs ? state.quitArmedUntilMs : 0;
  return { ...state, nowMs, windows, quitArmedUntilMs };
}
