/**
 * Globs in inputs and outputs: `*` and `?` within one path part, `**` for any number of parts. Brackets and braces stand
 * for themselves, because real paths have them (`app/[id]/page.tsx`). No regular expressions, so no pattern is slow.
 */

/** True when `path` has a `*` or a `?`. */
export function isGlob(path: string): boolean {
  return /[*?]/.test(path);
}

/** True when `path` (forward slashes, relative) matches `pattern` as a whole. Takes at most pattern × path steps. */
export function matchGlob(pattern: string, path: string): boolean {
  const patterns = pattern.split('/');
  const parts = path.split('/');
  // reachable[j]: the pattern's parts read so far can match the first j parts of the path.
  let reachable = new Array<boolean>(parts.length + 1).fill(false);
  reachable[0] = true;
  for (const part of patterns) reachable = part === '**' ? spread(reachable) : step(reachable, part, parts);
  return reachable[parts.length]!;
}

function spread(reachable: boolean[]): boolean[] {
  const first = reachable.indexOf(true);
  return reachable.map((_, index) => first >= 0 && index >= first);
}

function step(reachable: boolean[], pattern: string, parts: string[]): boolean[] {
  return reachable.map((_, index) => index > 0 && reachable[index - 1]! && matchPart(pattern, parts[index - 1]!));
}

/** The usual two-pointer match: on a mismatch the last star takes one more character. */
function matchPart(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let mark = 0;
  for (let i = 0; i < text.length; ) {
    if (at < pattern.length && pattern[at] === '*') {
      star = at++;
      mark = i;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[i])) {
      at++;
      i++;
    } else if (star >= 0) {
      at = star + 1;
      i = ++mark;
    } else return false;
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}
