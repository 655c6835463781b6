/**
 * TypeScript text reduced to what the rules of the house look at: comments and the words inside strings are out of the
 * way, so that neither is mistaken for code. (TypeScript 7 has no parser to import, and a scanner is all this needs.)
 */

export interface SourceText {
  /** The code: comments are gone, each string is `'§n'` with n its place in {@link strings}, a regex is `/§/`. Line breaks stay. */
  code: string;
  /** What stood in the strings. */
  strings: string[];
  /** The comments before the first code, joined. */
  header: string;
  lines: number;
}

/** Words after which a slash starts a regular expression, not a division. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else|void|await|yield))\s*$/;

/** One lexeme at the front of the text, by kind. Sticky, so that each is tried where the scanner stands. */
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const STRING = /'((?:[^'\\\n]|\\[\s\S])*)'|"((?:[^"\\\n]|\\[\s\S])*)"/y;
const REGEX = /\/(?![*/])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const TEMPLATE_TEXT = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y;

/** Scans a whole file. */
export function readSource(text: string): SourceText {
  const strings: string[] = [];
  const header: string[] = [];
  /** For each template being read: how many braces are open inside its current `${}`. */
  const templates: number[] = [];
  let code = '';
  let at = 0;

  const take = (lexeme: RegExp): RegExpExecArray | null => {
    lexeme.lastIndex = at;
    const match = lexeme.exec(text);
    if (match !== null) at = lexeme.lastIndex;
    return match;
  };
  /** Reads on to the end of the template or to its next expression. */
  const takeTemplateText = (): void => {
    const skipped = take(TEMPLATE_TEXT)?.[0] ?? '';
    code += skipped.replace(/[^\n]/g, '');
    if (text.startsWith('${', at)) {
      templates.push(0);
      code += '${';
      at += 2;
    } else {
      code += '`';
      at += 1;
    }
  };
  const takeOne = (): void => {
    const char = text[at]!;
    const open = templates.length - 1;
    if (open >= 0 && char === '{') templates[open]!++;
    if (open >= 0 && char === '}' && templates[open]!-- === 0) {
      templates.pop();
      code += '}';
      at += 1;
      takeTemplateText();
      return;
    }
    code += char;
    at += 1;
    if (char === '`') takeTemplateText();
  };

  while (at < text.length) {
    const comment = take(COMMENT)?.[0];
    if (comment !== undefined) {
      if (code.trim() === '') header.push(comment);
      code += comment.replace(/[^\n]/g, '');
      continue;
    }
    const string = take(STRING);
    if (string !== null) {
      code += `'§${strings.push(string[1] ?? string[2] ?? '') - 1}'`;
      continue;
    }
    if (text[at] === '/' && BEFORE_REGEX.test(code) && take(REGEX) !== null) code += '/§/';
    else takeOne();
  }
  return { code, strings, header: header.join('\n'), lines: text.trimEnd().split('\n').length };
}
