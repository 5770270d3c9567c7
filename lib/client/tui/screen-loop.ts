import type { Clock, Timer } from '../../clock.ts';
import type { Effect, TuiEvent } from './effect.ts';
import { frameOf } from './frame.ts';
import { initialState, type Outcome, type Start, type State } from './state.ts';
import { countsDown, update } from './update.ts';
import type { View } from './view.ts';

/** At most 30 frames a second: more nobody sees, and over ssh they cost. */
const FRAME_MS = 33;
/** While something counts down on the screen. */
const TICK_MS = 500;
/** The time in the state may be this old. */
const STALE_MS = 100;

export interface LoopOptions {
  readonly view: View;
  readonly clock: Clock;
  readonly start: Omit<Start, 'nowMs'>;
  /** Does what the terminal cannot. */
  readonly onEffect: (effect: Effect) => void;
  /** Once, when the state says that all is over. */
  readonly onEnd: (outcome: Outcome) => void;
  /** A fault of our own: whoever dispatched must not be the one to suffer from it. */
  readonly onCrash: (thrown: unknown) => void;
}

export interface Loop {
  dispatch(event: TuiEvent): void;
  /** Paints now, whole. */
  repaint(): void;
  stop(): void;
  readonly state: State;
}

/** Events in, state on, effects out, and a frame when something changed. */
export function runLoop({ view, clock, start, onEffect, onEnd, onCrash }: LoopOptions): Loop {
  let state = initialState({ ...start, nowMs: clock.nowMs() });
  let paintedMs = Number.NEGATIVE_INFINITY;
  let frame: Timer | null = null;
  let tick: Timer | null = null;
  let isStopped = false;

  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (thrown) {
      isStopped = true;
      onCrash(thrown);
    }
  };
  const paint = (): void => {
    frame = null;
    if (isStopped) return;
    paintedMs = clock.monotonicMs();
    guarded(() => view.paint(frameOf(state)));
  };
  const schedule = (): void => {
    if (frame === null) frame = clock.after(Math.max(0, FRAME_MS - (clock.monotonicMs() - paintedMs)), paint);
  };
  const step = (event: TuiEvent): void => {
    const [next, effects] = update(state, event);
    if (next !== state) schedule();
    state = next;
    for (const effect of effects) onEffect(effect);
  };
  const onTick = (): void => {
    tick = null;
    if (!isStopped) dispatch({ type: 'tick', nowMs: clock.nowMs() });
  };
  const dispatch = (event: TuiEvent): void => {
    if (isStopped || state.outcome !== null) return;
    guarded(() => {
      const isStale = Math.abs(clock.nowMs() - state.nowMs) > STALE_MS;
      if (event.type !== 'tick' && isStale) step({ type: 'tick', nowMs: clock.nowMs() });
      step(event);
    });
    if (isStopped) return;
    if (state.outcome !== null) onEnd(state.outcome);
    else if (tick === null && countsDown(state)) tick = clock.after(TICK_MS, onTick);
  };
  schedule();
  return {
    dispatch,
    repaint() {
      view.forget();
      frame?.cancel();
      paint();
    },
    stop() {
      isStopped = true;
      frame?.cancel();
      tick?.cancel();
    },
    get state() {
      return state;
    },
  };
}
