/**
 * Preloaded with --import, makes this Node look like an old one where BCAST_TEST_OLD_NODE says which, and only here: what
 * it starts is itself again.
 */
const version = process.env['BCAST_TEST_OLD_NODE'];
if (version !== undefined) {
  delete process.env['BCAST_TEST_OLD_NODE'];
  Object.defineProperty(process, 'version', { value: `v${version}` });
  Object.defineProperty(process, 'versions', { value: { ...process.versions, node: version } });
  Object.defineProperty(process, 'execve', { value: undefined });
}
