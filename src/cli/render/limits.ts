/** Every limit: how much there is, who has it, who waits. Pure. */
import type { LimitView } from '../../control/list-limits.ts';
import { nameSome } from '../live/lines.ts';
import type { Line, Part } from '../terminal/style.ts';
import { toTable } from '../terminal/table.ts';
import { clean } from '../terminal/text.ts';

const NAMED_AT_MOST = 3;

export function renderLimits(limits: readonly LimitView[]): Line[] {
  return toTable(
    ['limit', ' used', ' of', ' waiting', 'held by', 'next'],
    limits.map(({ name, capacity, used, holders, waiting, next }): (Part | string)[] => [
      clean(name),
      capacity !== null && used >= capacity ? { text: String(used), color: 'yellow' } : String(used),
      capacity === null ? '' : String(capacity),
      waiting === 0 ? '' : String(waiting),
      nameSome(holders.map(holderText), NAMED_AT_MOST),
      nameSome(
        next.map(({ run, task }) => clean(`${run} ${task}`)),
        NAMED_AT_MOST,
      ),
    ]),
  );
}

function holderText({ run, task, amount }: LimitView['holders'][number]): string {
  return clean(`${run} ${task}${amount === 1 ? '' : ` (${amount})`}`);
}
