import { formatDuration } from '../../duration.ts';
import type { UserName } from '../../protocol/names.ts';
import type { Ask } from './effect.ts';

/** What is said when that was done; null where an event that follows says it. */
export function doneText(ask: Ask, me: UserName | null): string | null {
  switch (ask.what) {
    case 'away':
      return ask.text === null ? 'You are back.' : `You are away: ${ask.text}`;
    case 'register':
      return ask.password === null
        ? `${me} is yours now, by your key. With /password you can also enter from elsewhere.`
        : `${me} is yours. From elsewhere it now takes the password, once for each machine.`;
    case 'unregister':
      return `${me} is no longer registered.`;
    case 'follow':
      return ask.isOn
        ? `You hear from now on what ${ask.name} publishes.`
        : `You no longer hear what ${ask.name} publishes.`;
    case 'invite':
      return `${ask.name} is invited to #${ask.room}.`;
    case 'retain':
      return ask.isKept ? 'This room stays when nobody is in it.' : 'This room goes when nobody is in it.';
    case 'motd':
      return ask.text === null ? 'The greeting is as configured again.' : 'From now on that greets everybody.';
    case 'ban': {
      const lasting = ask.durationMs === null ? '' : ` for ${formatDuration(ask.durationMs)}`;
      return ask.penalty === 'ban'
        ? `${ask.target} is banned${lasting}.`
        : `${ask.target} may not speak here${lasting}.`;
    }
    case 'unban':
      return ask.penalty === 'ban' ? `${ask.target} may come in again.` : `${ask.target} may speak again.`;
    default:
      return null;
  }
}
