// npm run texts: prints every text that users read, file by file, to be read from top to bottom.
//   node scripts/texts.ts [part of a path]
// test/unit/terms.test.ts holds them against the terms of this product.
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const root = path.dirname(import.meta.dirname);

/** Calls whose texts only programs read. */
const commandCalls = new Set(['call', 'callBuffer', 'getElementById', 'querySelector', 'pipeline']);

interface Text {
  readonly line: number;
  readonly text: string;
}

/** Every text that users read, by file. */
export function userTexts(): ReadonlyMap<string, readonly Text[]> {
  const code = globSync(['src/**/*.ts', 'media/**/*.ts', 'scripts/*.{ts,mjs}'], { cwd: root }).sort();
  const shell = globSync('manifests/scripts/*.sh', { cwd: root }).sort();
  return new Map([
    ...code.map((file) => [file, textsOfCode(file)] as const),
    ...shell.map((file) => [file, textsOfShell(file)] as const),
    ['package.json', textsOfManifest()],
  ]);
}

/** String and template literals that read as words: a blank between letters, or a capital letter and several more. */
function textsOfCode(file: string): readonly Text[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(path.join(root, file), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  );
  const texts: Text[] = [];
  const visit = (node: ts.Node): void => {
    const text = literalText(node);
    if (text !== undefined && isProse(text) && !isForPrograms(node)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      texts.push({ line: line + 1, text: text.replaceAll('\n', '\\n') });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return texts;
}

function literalText(node: ts.Node): string | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  const spans = node.templateSpans.map(
    ({ expression, literal }) => `{${expression.getText()}}${literal.text}`,
  );
  return [node.head.text, ...spans].join('');
}

function isProse(text: string): boolean {
  const words = text.replaceAll(/\{[^}]*\}/g, '#');
  if (/^[.\w/@#:*-]+$/.test(words) && !/^[A-Z][a-z]{2,}/.test(words)) return false;
  return (
    /[a-z]{2,}[ ,.:;…]+["“#A-Za-z]/.test(words) ||
    /^[A-Z][a-z]+( |…|\.|$)/.test(words) ||
    /[.…!?]$/.test(words)
  );
}

function isForPrograms(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent) || ts.isLiteralTypeNode(parent))
    return true;
  if (ts.isCallExpression(parent) && ts.isPropertyAccessExpression(parent.expression))
    return commandCalls.has(parent.expression.name.text);
  return false;
}

/** What a pod's own scripts log. */
function textsOfShell(file: string): readonly Text[] {
  const lines = readFileSync(path.join(root, file), 'utf8').split('\n');
  return lines.flatMap((text, at) =>
    /^\s*(log|say|echo|printf|fail|warn)\b.*["'].*[a-z] [a-z]/.test(text)
      ? [{ line: at + 1, text: text.trim() }]
      : [],
  );
}

function textsOfManifest(): readonly Text[] {
  const lines = readFileSync(path.join(root, 'package.json'), 'utf8').split('\n');
  const worded = /^\s*"(title|contents|description|markdownDescription|displayName|shortTitle)": (".*"),?$/;
  return lines.flatMap((text, at) => {
    const [, , value] = worded.exec(text) ?? [];
    return value === undefined ? [] : [{ line: at + 1, text: value }];
  });
}

if (import.meta.main) {
  const [part = ''] = process.argv.slice(2);
  for (const [file, texts] of userTexts()) {
    if (!file.includes(part) || texts.length === 0) continue;
    console.log(`\n${file}`);
    for (const { line, text } of texts) console.log(`${String(line).padStart(5)}  ${text}`);
  }
}
