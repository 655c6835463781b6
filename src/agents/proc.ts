/**
 * Reading /proc, typed: the same code that the guardian program runs. See `programs/proc.mjs`.
 */
export {
  carriesToken,
  childrenOf,
  descendantsOf,
  environmentOf,
  HAS_PROC,
  ioOf,
  isAlive,
  isLive,
  listProcesses,
  MARKER,
  namespaceOf,
  type ProcessIdentity,
  type ProcessInfo,
  parseStat,
  readProcess,
  rssBytesOf,
  startTimeOf,
} from './programs/proc.mjs';
