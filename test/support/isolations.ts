/**
 * In which ways this machine can isolate agents, so that tests run in each of them and skip what cannot be had.
 */
import { type Isolation, openNamespace } from '../../src/agents/namespace.ts';
import { detectTier } from '../../src/agents/tier.ts';

/** Without any, and each kind of namespace that works here. */
export async function availableIsolations(): Promise<Isolation[]> {
  return ['none', ...(await availableNamespaces())];
}

export async function availableNamespaces(): Promise<Exclude<Isolation, 'none'>[]> {
  if ((await detectTier()).tier !== 'A') return [];
  const found: Exclude<Isolation, 'none'>[] = [];
  for (const isolation of ['namespace', 'user-namespace'] as const) {
    const opened = await openNamespace(isolation, {});
    if (!opened.ok) continue;
    await opened.value.close();
    found.push(isolation);
  }
  return found;
}
