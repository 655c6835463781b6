/**
 * Path into a YAML document → line and column.
 */
import { type Document, isAlias, isMap, isNode, isPair, isScalar, isSeq, type Node, type YAMLMap } from 'yaml';
import type { Place } from '../codes.ts';
import { formatPath, type Path } from '../issues.ts';

/** Finds places by path; indexes each mapping once, so that 10,000 tasks do not take 10,000² steps. */
export class Locator {
  readonly #document: Document.Parsed;
  readonly #toPlace: (offset: number) => Place;
  readonly #indexes = new WeakMap<YAMLMap, Map<string, { key: unknown; value: unknown }>>();

  constructor(document: Document.Parsed, toPlace: (offset: number) => Place) {
    this.#document = document;
    this.#toPlace = toPlace;
  }

  locate(path: Path, at: 'key' | 'value'): Place {
    let node: unknown = this.#document.contents;
    let offset = startOf(node) ?? 0;
    for (const [depth, segment] of path.entries()) {
      const entry = this.#entry(node, segment);
      if (entry === undefined) break;
      const isLast = depth === path.length - 1;
      offset = (isLast && at === 'key' ? startOf(entry.key) : startOf(entry.value)) ?? startOf(entry.key) ?? offset;
      node = entry.value;
    }
    return { ...this.#toPlace(offset), ...(path.length === 0 ? {} : { path: formatPath(path) }) };
  }

  #entry(node: unknown, segment: string | number): { key: unknown; value: unknown } | undefined {
    const target = isAlias(node) ? node.resolve(this.#document) : node;
    if (isSeq(target)) {
      const item: unknown = target.items[Number(segment)];
      return item === undefined ? undefined : { key: item, value: item };
    }
    return isMap(target) ? this.#index(target).get(String(segment)) : undefined;
  }

  #index(map: YAMLMap): Map<string, { key: unknown; value: unknown }> {
    const known = this.#indexes.get(map);
    if (known !== undefined) return known;
    const index = new Map<string, { key: unknown; value: unknown }>();
    for (const pair of map.items) {
      if (isPair(pair)) index.set(isScalar(pair.key) ? String(pair.key.value) : String(pair.key), pair);
    }
    this.#indexes.set(map, index);
    return index;
  }
}

/** The offset at which a node begins, if it is one. */
export function startOf(node: unknown): number | undefined {
  return isNode(node) ? (node as Node).range?.[0] : undefined;
}
