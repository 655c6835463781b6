/**
 * Free text (titles, reasons, agents' messages) made fit for one line of a terminal. Nothing that a plan or an agent says
 * may move the cursor, change colours or break the picture.
 */

/** Escape sequences, whole: what a terminal would obey, arguments included. */
const SEQUENCES =
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[PX^_][^\u001b]*(?:\u001b\\)?|.)?/g;
/** Control characters, and marks that reorder or hide text: bidi overrides, zero-width and tag characters. */
const UNSEEN =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** One line without control characters: line ends and tabs become spaces, everything else of that kind goes. */
export function clean(text: string): string {
  return text
    .replace(SEQUENCES, '')
    .replace(/[\t\n\v\f\r]+/g, ' ')
    .replace(UNSEEN, '')
    .trimEnd();
}

const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x2329, 0x232a],
  [0x23e9, 0x23ec],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18aff],
  [0x1b000, 0x1b2ff],
  [0x1f004, 0x1f004],
  [0x1f0cf, 0x1f0cf],
  [0x1f18e, 0x1f19a],
  [0x1f1e6, 0x1f265],
  [0x1f300, 0x1faff],
  [0x20000, 0x3fffd],
];

/** Columns of one character; rather one too many than one too few, since a line that wraps breaks the picture. */
function columnsOfCharacter(character: string): number {
  const code = character.codePointAt(0)!;
  if (code < 0x300) return 1;
  // Asks for the emoji form of the character before it, which is wider by one.
  if (code === 0xfe0f) return 1;
  if (/^[\p{Mn}\p{Me}]$/u.test(character)) return 0;
  if (/^\p{Emoji_Presentation}$/u.test(character)) return 2;
  return WIDE.some(([from, to]) => code >= from && code <= to) ? 2 : 1;
}

/** Columns that a line takes on a terminal. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += columnsOfCharacter(character);
  return columns;
}

/** The text cut to `columns`, with an ellipsis where something was cut off. */
export function cut(text: string, columns: number): string {
  if (columns <= 0) return '';
  let used = 0;
  let kept = '';
  let room = '';
  for (const character of text) {
    used += columnsOfCharacter(character);
    if (used > columns) return `${room}…`;
    kept += character;
    if (used <= columns - 1) room = kept;
  }
  return kept;
}

/** Filled up with spaces to `columns`, cut where it is longer. */
export function fill(text: string, columns: number): string {
  const short = cut(text, columns);
  return short + ' '.repeat(Math.max(0, columns - columnsOf(short)));
}

/** `1 task`, `2 tasks`. */
export function count(amount: number, noun: string, plural = `${noun}s`): string {
  return `${amount} ${amount === 1 ? noun : plural}`;
}
