/**
 * Limits that the protocol itself fixes: both ends hold to them and no option moves them. What an operator may choose is
 * in config/options.ts.
 */

/** A frame's payload until the handshake is done, in bytes. An unauthenticated peer can make us hold no more. */
export const MAX_HANDSHAKE_FRAME_BYTES = 4_096;

/** A frame's payload afterwards, in bytes: the largest Noise message (Noise §3). */
export const MAX_RECORD_FRAME_BYTES = 65_535;

/** What sealing adds to a record in every suite, in bytes: an AES-GCM or Poly1305 tag. */
export const RECORD_TAG_BYTES = 16;

/** Plaintext of one record, in bytes. */
export const MAX_RECORD_PLAINTEXT_BYTES = MAX_RECORD_FRAME_BYTES - RECORD_TAG_BYTES;

/** One message inside the record stream, in bytes. */
export const MAX_MESSAGE_BYTES = 262_144;

/** The body of a room or private message, in bytes of UTF-8; the operator may choose less. */
export const MAX_BODY_BYTES = 65_536;

/** Records under one key before both ends move to the next (Noise §4.2, REKEY). */
export const RECORDS_PER_KEY = 65_536;

/** User and room names, in characters (code points). */
export const MAX_NAME_CHARS = 50;

export const MAX_TOPIC_BYTES = 1_024;

/** Reasons, away texts and the words of an error, in bytes. */
export const MAX_REASON_BYTES = 512;

/** The line shown to everybody who connects, in bytes. */
export const MAX_MOTD_BYTES = 4_096;

/** A password, in bytes. */
export const MAX_PASSWORD_BYTES = 256;

/** The code of a locked room: so many of A-Z and 0-9. */
export const ROOM_CODE_CHARS = 5;

/** The words of a search together, in bytes. */
export const MAX_SEARCH_BYTES = 256;

/** Rows in one list message (members, rooms, bans, presence changes); longer lists come as several messages. */
export const MAX_LIST_ROWS = 500;

/** Messages in one page of history. */
export const MAX_PAGE_MESSAGES = 200;

/** One record of the store as JSON, in bytes. */
export const MAX_RECORD_BYTES = 1_048_576;

/** The room everyone can join by default; it belongs to the server. */
export const DEFAULT_ROOM = 'lobby';

export const DEFAULT_PORT = 9000;
