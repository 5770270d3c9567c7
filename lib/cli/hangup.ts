import { isatty } from 'node:tty';

export interface HangupHandler {
  /** Somebody wants the configuration to be read again. */
  onReload(): void;
  /** The terminal in which this was started is gone, and with it whoever would stop it. */
  onTerminalGone(): void;
}

/**
 * SIGHUP means two things: from an operator, "read your configuration again"; from the system, "your terminal has been
 * closed". They are told apart by whether the terminal is still there. Returns what gives the signal its own meaning back.
 */
export function listenForHangup(handler: HangupHandler): () => void {
  const terminals = [0, 1, 2].filter((fd) => isatty(fd));
  const onHangup = (): void => {
    if (terminals.length > 0 && !terminals.some((fd) => isatty(fd))) handler.onTerminalGone();
    else handler.onReload();
  };
  process.on('SIGHUP', onHangup);
  return () => process.off('SIGHUP', onHangup);
}
