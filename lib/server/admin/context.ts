import type { Clock } from '../../clock.ts';
import type { Reloaded, ServerConfig } from '../../config/live-config.ts';
import type { Hub } from '../hub/hub.ts';
import type { Session } from '../session/session.ts';

/** What operations may look at and act on. */
export interface AdminContext {
  readonly hub: Hub;
  readonly sessions: ReadonlySet<Session>;
  readonly clock: Clock;
  readonly config: ServerConfig;
  /** The port really listened on. */
  readonly port: number;
  readonly fingerprint: string;
  /** Throws CONFIG. */
  readonly reload: () => Reloaded;
}
