/**
 * What a server says of itself, and what of it rules the server out. Pure: `connection.ts` asks, this judges.
 */

export interface ServerFacts {
  /** `redis`, `valkey` or `dragonfly`. */
  kind: string;
  version: string | null;
  /** `standalone`, `cluster` or `sentinel`. */
  mode: string | null;
  /** `master`, or `slave` for a copy that cannot be written. */
  role: string | null;
  /** Where a copy's master is. */
  masterHost: string | null;
  appendOnly: boolean | null;
  evictionPolicy: string | null;
}

/** LPOS with its options, and the least that BullMQ recommends: below it only warns, and few have tried. */
const LEAST_REDIS = [6, 2, 0] as const;

/** Reads the answer of INFO; what it leaves out is null. */
export function parseServerInfo(info: string): ServerFacts {
  const fields = new Map(
    info.split(/\r?\n/).flatMap((line): [string, string][] => {
      const colon = line.indexOf(':');
      return colon < 1 || line.startsWith('#') ? [] : [[line.slice(0, colon), line.slice(colon + 1)]];
    }),
  );
  const read = (name: string): string | null => fields.get(name) ?? null;
  const kind = ['valkey', 'dragonfly'].find((name) => fields.has(`${name}_version`)) ?? 'redis';
  const appendOnly = read('aof_enabled');
  return {
    kind,
    version: read(`${kind}_version`),
    mode: read(`${kind === 'valkey' && fields.has('server_mode') ? 'server' : 'redis'}_mode`),
    role: read('role'),
    masterHost: fields.has('master_host') ? `${read('master_host')}:${read('master_port') ?? ''}` : null,
    appendOnly: appendOnly === null ? null : appendOnly === '1',
    evictionPolicy: read('maxmemory_policy'),
  };
}

export interface Unfitness {
  /** The end of a sentence that begins "cannot work with this Redis: ". */
  cause: string;
  hint: string;
}

/** Why planq cannot work with such a server at all, or null. */
export function findUnfitness(facts: ServerFacts): Unfitness | null {
  if (facts.kind === 'redis' && facts.version !== null && isBelow(facts.version, LEAST_REDIS)) {
    return {
      cause: `it is version ${facts.version}, and BullMQ's scripts need ${LEAST_REDIS.join('.')}`,
      hint: `install Redis ${LEAST_REDIS.slice(0, 2).join('.')} or later, or Valkey`,
    };
  }
  if (facts.mode === 'cluster')
    return {
      cause: 'it is a node of a Redis Cluster, and planq has no client for one',
      hint: 'name a server that stands alone; all keys of planq would share one slot anyway',
    };
  if (facts.mode === 'sentinel')
    return { cause: 'it is a Sentinel, which holds no data', hint: 'name the master that it watches' };
  if (facts.role === 'slave')
    return {
      cause: 'it is a replica and cannot be written (READONLY)',
      hint: `name its master${facts.masterHost === null ? '' : `, ${facts.masterHost}`}`,
    };
  return null;
}

function isBelow(version: string, least: readonly number[]): boolean {
  const parts = version.split('.').map((part) => Number.parseInt(part, 10));
  for (const [index, wanted] of least.entries()) {
    const part = parts[index] ?? 0;
    if (part !== wanted) return part < wanted;
  }
  return false;
}

/** Whether an address stays on this machine. */
export function isLocalAddress(url: string): boolean {
  if (url.startsWith('/')) return true;
  const host = URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : '';
  return host === '' || host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
