/**
 * The Redis client does less while it is loaded, with the same result: for the bundle alone. ioredis is pinned, and the
 * build ends where a text is not found in it.
 */
import { readFileSync } from 'node:fs';

const CLUSTER = 'require("./cluster")';
const SENTINEL = 'require("./connectors/SentinelConnector")';

/** By file: a text of ioredis, and what stands there in the bundle. */
const CHANGES = {
  // It looks for a terminal and for colours although nobody has asked for what it says.
  'utils/debug.js': {
    'require("debug")': 'process.env.DEBUG ? require("debug") : { default: () => ({ enabled: false }) }',
  },
  // V8 keeps the properties of a prototype in a list that it copies for each new one, 600 times here, until one of them
  // is deleted; from then on in a table.
  'utils/Commander.js': {
    'commands.forEach(':
      'Object.assign(Commander.prototype, { _a: 0, _b: 0 }); delete Commander.prototype._a; delete Commander.prototype._b; commands.forEach(',
  },
  // The clients for a cluster and for sentinels are loaded when they are asked for, and planq never does.
  'Redis.js': {
    [`const cluster_1 = ${CLUSTER};`]: '',
    'Redis.Cluster = cluster_1.default;': `Object.defineProperty(Redis, "Cluster", { configurable: true, enumerable: true, get: () => ${CLUSTER}.default });`,
    [`const SentinelConnector_1 = ${SENTINEL};`]: '',
    'new SentinelConnector_1.default(': `new (${SENTINEL}.default)(`,
    'require("./connectors")': '{ StandaloneConnector: require("./connectors/StandaloneConnector").default }',
  },
  'index.js': {
    [`var cluster_1 = ${CLUSTER};`]: '',
    'return cluster_1.default;': `return ${CLUSTER}.default;`,
    [`var SentinelConnector_1 = ${SENTINEL};`]: '',
    'return SentinelConnector_1.default;': `return ${SENTINEL}.default;`,
    'return SentinelConnector_1.SentinelIterator;': `return ${SENTINEL}.SentinelIterator;`,
  },
};

export const lighterClient = {
  name: 'lighter-client',
  setup: ({ onLoad, onResolve }) => {
    onLoad(
      { filter: /[\\/]ioredis[\\/]built[\\/](utils[\\/](Commander|debug)|Redis|index)\.js$/ },
      ({ path: file }) => {
        const name = file.replaceAll('\\', '/').replace(/.*\/ioredis\/built\//, '');
        return { contents: change(readFileSync(file, 'utf8'), CHANGES[name], name), loader: 'js' };
      },
    );
    // It would be looked for in every folder up to the root, and planq has none.
    onResolve({ filter: /^supports-color$/ }, () => ({ path: 'supports-color', namespace: 'absent' }));
    onLoad({ filter: /./, namespace: 'absent' }, () => ({ contents: 'module.exports = null;' }));
  },
};

function change(text, changes, name) {
  return Object.entries(changes).reduce((rest, [before, after]) => {
    const parts = rest.split(before);
    if (parts.length !== 2)
      throw new Error(`ioredis/built/${name} has "${before}" ${parts.length - 1} times, not once`);
    return parts.join(after);
  }, text);
}
