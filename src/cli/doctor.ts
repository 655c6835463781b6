/** `planq doctor` */
import { examine, type Finding } from '../control/doctor.ts';
import { type Command, EXIT } from './context.ts';
import type { Color, Line } from './terminal/style.ts';
import { clean } from './terminal/text.ts';

const COLORS: Readonly<Record<Finding['status'], Color>> = { ok: 'green', warn: 'yellow', fail: 'red' };

export const doctor: Command = async (context, _args, options) => {
  const { app, output, clock } = context;
  const findings = await examine({
    config: app.config,
    clock,
    nodeVersion: process.version,
    detectTier: app.detectTier,
    agentLimits: app.agentLimits,
    openStore: app.store,
    receivers: await app.receivers(),
  });
  const isFit = findings.every(({ status }) => status !== 'fail');
  if (options.json === true) output.json({ ok: isFit, checks: findings });
  else output.printLines(findings.flatMap(toLines));
  return isFit ? EXIT.ok : EXIT.failed;
};

function toLines({ name, status, message, next }: Finding): Line[] {
  const line: Line = [{ text: status.padEnd(4), color: COLORS[status] }, `  ${name.padEnd(15)}  ${clean(message)}`];
  return next === null ? [line] : [line, [`      → ${clean(next)}`]];
}
