/**
 * The full screen without a server, to be run in a pseudo-terminal: shows the events of a script (JSON, the first
 * argument), and answers for the server. `/me crash` throws where a fault of ours would.
 */
import { readFileSync } from 'node:fs';
import type { ClientEvent, RoomMessage } from '../../lib/client/events.ts';
import { openKeyboard } from '../../lib/client/tui/keyboard.ts';
import { runLoop } from '../../lib/client/tui/screen-loop.ts';
import { wantsColour } from '../../lib/client/tui/theme.ts';
import { openView } from '../../lib/client/tui/view.ts';
import { systemClock } from '../../lib/clock.ts';
import type { MemberRow } from '../../lib/protocol/messages.ts';
import type { UserName } from '../../lib/protocol/names.ts';

export interface Script {
  readonly me: string;
  readonly events: readonly ClientEvent[];
  readonly members: readonly MemberRow[];
}

const script = JSON.parse(readFileSync(process.argv[2] as string, 'utf8')) as Script;
const { stdin, stdout } = process;
const view = openView(stdout, wantsColour(process.env, false));
let seq = 1_000_000;

function leave(): void {
  keyboard.close();
  view.close();
  loop.stop();
  clearInterval(alive);
}

const loop = runLoop({
  view,
  clock: systemClock,
  start: { columns: stdout.columns, rows: stdout.rows, me: script.me as UserName },
  onEffect(effect) {
    if (effect.type === 'quit') leave();
    else if (effect.type === 'bell') view.bell();
    else if (effect.type === 'redraw') loop.repaint();
    else if (effect.type === 'say') {
      if (effect.body === 'crash') throw new Error('a fault of ours');
      seq += 1;
      const { room, kind, body, ticket } = effect;
      const message: RoomMessage = {
        ...{ type: 'message', room, kind, body, seq, isHistory: false },
        ...{ ts: Date.now(), from: script.me as UserName, fp: '', id: String(seq) },
      };
      queueMicrotask(() => {
        loop.dispatch({ type: 'client', event: message });
        loop.dispatch({ type: 'said', ticket, ts: message.ts });
      });
    } else if (effect.type === 'ask' && effect.ask.what === 'names') {
      const { room } = effect.ask;
      queueMicrotask(() =>
        loop.dispatch({ type: 'client', event: { type: 'members', room, members: script.members } }),
      );
    }
  },
  onEnd: leave,
  onCrash(thrown) {
    leave();
    process.stderr.write(`${String(thrown)}\n`);
    process.exitCode = 1;
  },
});
const keyboard = openKeyboard(stdin, systemClock, loop.dispatch, leave);
const alive = setInterval(() => undefined, 60_000);
stdout.on('resize', () => loop.dispatch({ type: 'resize', columns: stdout.columns, rows: stdout.rows }));
for (const event of script.events) loop.dispatch({ type: 'client', event });
