import type { Container } from './apiObjects.ts';
import type { Environment } from './environment.ts';
import type { TextSource } from './signInSources.ts';

/** What a server is started with, by option: `--requirepass x`, alone or within the text of a script. */
export interface ServerArguments {
  text(option: string): string | undefined;
  source(option: string): TextSource | undefined;
}

export function serverArguments({ command = [], args = [] }: Container, env: Environment): ServerArguments {
  const words = [...command, ...args];
  const source = (option: string): TextSource | undefined => {
    const alone = words.indexOf(`--${option}`);
    const written = alone >= 0 ? words[alone + 1] : writtenInScript(words, `--${option}`);
    if (written === undefined) return undefined;
    return variableIn(written, env) ?? textIn(written, option, alone < 0, env);
  };
  return {
    source,
    text: (option) => {
      const found = source(option);
      return found !== undefined && 'text' in found ? found.text() : undefined;
    },
  };
}

function writtenInScript(words: readonly string[], option: string): string | undefined {
  const pattern = new RegExp(`(?:^|[\\s"'])${option}[=\\s]+("[^"]*"|'[^']*'|[^\\s;|&]+)`);
  for (const word of words) {
    const written = pattern.exec(word)?.[1];
    if (written !== undefined) return written.replace(/^(["'])(.*)\1$/s, '$2');
  }
  return undefined;
}

/** Kubernetes replaces `$(NAME)`, a shell `$NAME` and `${NAME}`. */
function variableIn(written: string, env: Environment): TextSource | undefined {
  const name = /^\$(?:\{(\w+)\}|\((\w+)\)|([A-Za-z_]\w*))$/.exec(written)?.slice(1).find(Boolean);
  return name === undefined ? undefined : (env.source(name) ?? env.possible(name)[0]);
}

function textIn(
  written: string,
  option: string,
  isScript: boolean,
  env: Environment,
): TextSource | undefined {
  const expanded = env.expand(written);
  if (typeof expanded !== 'string') return expanded;
  // What a shell makes of a dollar sign is known to the shell alone.
  if (expanded === '' || (isScript && expanded.includes('$'))) return undefined;
  return { place: `argument --${option}`, text: () => expanded };
}
