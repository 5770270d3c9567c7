/** 24.7 brought ML-KEM and Argon2 to node:crypto; node:sqlite, zstd and type stripping are older. */
const MINIMUM = { major: 24, minor: 7 };

/** For messages: `24.7`. */
export const MINIMUM_NODE = `${MINIMUM.major}.${MINIMUM.minor}`;

/**
 * Whether bcast runs on this version of Node, which may start with a `v`.
 *
 * @param {string} version
 * @returns {boolean}
 */
export function isSupportedNode(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major > MINIMUM.major || (major === MINIMUM.major && minor >= MINIMUM.minor);
}
