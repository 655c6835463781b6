/**
 * The commands by which people look into what waits and steer it, and clear away what has ended.
 */
import { type CommandRow, JSON_OPTION } from './command-row.ts';
import { type OptionRow, parseAge } from './options.ts';

const BY: OptionRow = { flags: '--by <name>', about: 'who acts (default: $USER)' };
const COMMENT: OptionRow = { flags: '--comment <text>', about: 'why; kept and shown' };

/** What a pause or resume is about. */
const TARGET: readonly OptionRow[] = [
  { flags: '--master <name>', about: 'tasks of this master, of all runs' },
  { flags: '--all', about: 'everything' },
];

export const STEERING_COMMANDS: readonly CommandRow[] = [
  {
    name: 'inbox',
    arguments: '',
    about: 'everything that waits for a person, the most unblocking first',
    options: [JSON_OPTION],
    load: async () => (await import('./inbox.ts')).inbox,
  },
  {
    name: 'why',
    arguments: '<run> [task]',
    about: 'why a run or a task does not go on, and what would clear it',
    options: [JSON_OPTION],
    load: async () => (await import('./why.ts')).why,
  },
  {
    name: 'limits',
    arguments: '',
    about: 'every limit with its capacity, who holds it and who waits',
    options: [JSON_OPTION],
    load: async () => (await import('./limits.ts')).limits,
  },
  {
    name: 'approve',
    arguments: '<run> <task>',
    about: 'let a task or gate (gate:<n>) start that waits for approval',
    options: [COMMENT, BY, JSON_OPTION],
    load: async () => (await import('./decide.ts')).approve,
  },
  {
    name: 'reject',
    arguments: '<run> <task>',
    about: 'refuse a task or gate (gate:<n>) that waits for approval; it fails',
    options: [COMMENT, BY, JSON_OPTION],
    load: async () => (await import('./decide.ts')).reject,
  },
  {
    name: 'pause',
    arguments: '[run]',
    about: 'start nothing new of a run, a master or everything; what runs goes on',
    options: [...TARGET, COMMENT, BY, JSON_OPTION],
    load: async () => (await import('./hold.ts')).pause,
  },
  {
    name: 'resume',
    arguments: '[run]',
    about: 'lift a pause',
    options: [...TARGET, JSON_OPTION],
    load: async () => (await import('./hold.ts')).resume,
  },
  {
    name: 'skip',
    arguments: '<run> <task>',
    about: 'leave a task out; what needs it goes on',
    options: [BY, JSON_OPTION],
    load: async () => (await import('./skip.ts')).skip,
  },
  {
    name: 'notify',
    arguments: '',
    about: 'who is told when a run blocks, ends or wants an approval',
    options: [{ flags: '--test', about: 'send each a test notification, and say what came of it' }, JSON_OPTION],
    load: async () => (await import('./notify.ts')).notify,
  },
  {
    name: 'export',
    arguments: '<run>',
    about: 'all that is known of a run, as JSON',
    options: [
      { flags: '--out <folder>', about: 'write run.json and the logs into a folder (default: -, to stdout)' },
      JSON_OPTION,
    ],
    load: async () => (await import('./export.ts')).exportCommand,
  },
  {
    name: 'prune',
    arguments: '',
    about: 'remove runs that ended long ago from Redis; files stay',
    options: [
      { flags: '--older-than <time>', about: 'ended at least so long ago, e.g. 30d or 12h', parse: parseAge },
      { flags: '--dry-run', about: 'only tell which; without --older-than: which workers remove by the keep rules' },
      JSON_OPTION,
    ],
    load: async () => (await import('./prune.ts')).prune,
  },
];
